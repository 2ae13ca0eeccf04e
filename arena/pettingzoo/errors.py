"""The error that envs raise."""

from arena.errors import UserError


class EnvError(UserError):
    """An env that cannot be used, or that failed too often; the message is one line for its user.

    It crosses processes: workers pickle it.
    """
