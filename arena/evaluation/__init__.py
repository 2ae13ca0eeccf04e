"""What games say: ratings, scores, tests, exact values."""
