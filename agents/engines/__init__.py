"""Agents that are other programs."""
