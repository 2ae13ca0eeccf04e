"""Benchmarks: that they run to their end, at small sizes."""
