"""The pool, who plays whom, the training loop, the record and the face."""
