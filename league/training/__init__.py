"""The loop that trains a league."""
