"""Playing games: matches on the device and on the host, sessions, seats and openings."""
