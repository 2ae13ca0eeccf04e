"""Playing games: matches on the device and on the host, openings."""
