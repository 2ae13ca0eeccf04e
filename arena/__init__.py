"""Matches between any agents, and what they prove."""
