"""What an env does wrong, said in one line."""

from arena.errors import UserError


class Fault(UserError):
    """An env that cannot be used, or that failed too often; the message is for its user."""
