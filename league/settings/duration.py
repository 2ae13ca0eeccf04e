"""Spans of time as people write them: 90s, 15m, 2h, 1h30m."""

import re

from arena.errors import UserError

_UNITS = {"h": 3600, "m": 60, "s": 1}
_PATTERN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_LONGEST = 366 * 24 * 3600


def seconds(text: str) -> int:
    """Seconds of a span.

    Raises:
      UserError: it cannot be read, or is zero or longer than a year.
    """
    found = _PATTERN.fullmatch(text)
    if not text or found is None:
        raise UserError(f"a time is written as 90s, 15m, 2h or 1h30m, not {text!r}")
    total = sum(
        int(count or 0) * unit for count, unit in zip(found.groups(), _UNITS.values(), strict=True)
    )
    if not 0 < total <= _LONGEST:
        raise UserError(f"a time lies between a second and a year, unlike {text!r}")
    return total
