"""Input that cannot be served, and the checks that many inputs need."""

import math
from typing import Any

SEEDS = 2**32
"""Seeds lie below this."""

LARGEST = 10**9
"""No figure is larger, whatever it is of."""
PAIRS = 10**6
"""No match has more pairs of games."""
PLIES = 10**5
"""No opening is longer."""
SIMULATIONS = 10**6
"""No search has more simulations or rollouts a move."""


class UserError(ValueError):
    """Input that cannot be served, in one line; `arena` prints it and exits with code 2."""


def check_positive(config: Any, *names: str, most: int = LARGEST) -> None:
    """Raises UserError unless these fields of a config are positive, and at most so large."""
    for name in names:
        value = getattr(config, name)
        if not 0 < value < math.inf:
            raise UserError(f"{name} must be positive, not {value}")
        _check_most(name, value, most)


def check_not_negative(config: Any, *names: str, most: int = LARGEST) -> None:
    """Raises UserError unless these fields of a config are 0 or positive, and at most so large.

    None is allowed.
    """
    for name in names:
        value = getattr(config, name)
        if value is None:
            continue
        if not 0 <= value < math.inf:
            raise UserError(f"{name} must not be negative, not {value}")
        _check_most(name, value, most)


def _check_most(name: str, value: float, most: int) -> None:
    if value > most:
        raise UserError(f"{name} must be at most {most:,}, not {value:.7g}")


def whole_number(text: str, least: int = 0, most: int = LARGEST) -> int | None:
    """The whole number from `least` to `most` that a text is in decimal digits; None if it is none.

    Python reads no number of more than 4,300 digits.
    """
    if not (text.isascii() and text.isdecimal() and len(text.lstrip("0")) <= len(str(most))):
        return None
    number = int(text)
    return number if least <= number <= most else None


def check_share(config: Any, *names: str) -> None:
    """Raises UserError unless these fields of a config lie in [0, 1]."""
    for name in names:
        if not 0 <= getattr(config, name) <= 1:
            raise UserError(f"{name} must lie between 0 and 1, not {getattr(config, name)}")


def check_seed(seed: int) -> None:
    """Raises UserError unless a seed is one of 32 bits."""
    if not 0 <= seed < SEEDS:
        raise UserError(f"seed must lie between 0 and 2³² - 1, not {seed}")
