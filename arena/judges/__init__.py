"""Who says who won: one judge a file. A judge of your own extends `arena.types.Judge`.

Judges that are networks lie in `agents/judges/`.
"""

from arena.judges.rules import Rules

__all__ = ["Rules"]
