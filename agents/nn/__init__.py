"""Networks, and the cache of what they said."""
