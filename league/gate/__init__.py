"""Which snapshot may be champion: a sequential test, held-out opponents, move accuracy."""
