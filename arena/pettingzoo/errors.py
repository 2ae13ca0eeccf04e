"""The error that envs raise."""

from arena.errors import UserError


class EnvError(UserError):
    """An env that cannot be used, or that failed too often; the message is one line for its user.

    It crosses processes: workers pickle it.
    """


class BadObservation(EnvError):
    """An agent observes what no network can read, or what the check has not allowed for.

    No other game takes the place of such a one: a network would learn from what is left out.
    """
