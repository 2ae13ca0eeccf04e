"""How a league is run: configurations, defaults, matchmakers."""
