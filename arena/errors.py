"""Input that cannot be served, and the checks that many inputs need."""

import math
from typing import Any

SEEDS = 2**32
"""Seeds lie below this."""


class UserError(ValueError):
    """Input that cannot be served, in one line; `arena` prints it and exits with code 2."""


def check_positive(config: Any, *names: str) -> None:
    """Raises UserError unless these fields of a config are positive and finite."""
    for name in names:
        if not 0 < getattr(config, name) < math.inf:
            raise UserError(f"{name} must be positive, not {getattr(config, name)}")


def check_not_negative(config: Any, *names: str) -> None:
    """Raises UserError if one of these fields of a config is negative; None is allowed."""
    for name in names:
        value = getattr(config, name)
        if value is not None and not 0 <= value < math.inf:
            raise UserError(f"{name} must not be negative, not {value}")


def check_share(config: Any, *names: str) -> None:
    """Raises UserError unless these fields of a config lie in [0, 1]."""
    for name in names:
        if not 0 <= getattr(config, name) <= 1:
            raise UserError(f"{name} must lie between 0 and 1, not {getattr(config, name)}")


def check_seed(seed: int) -> None:
    """Raises UserError unless a seed is one of 32 bits."""
    if not 0 <= seed < SEEDS:
        raise UserError(f"seed must lie between 0 and 2³² - 1, not {seed}")
