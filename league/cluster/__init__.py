"""Training on many machines, by Ray."""
