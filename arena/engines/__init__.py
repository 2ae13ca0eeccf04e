"""Other programs that play, over their protocols."""
