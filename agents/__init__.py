"""How to choose a move, and how to learn to: one file an agent."""
