"""What an env does wrong, said in one line."""


class Fault(ValueError):
    """An env that cannot be used, or that failed too often; the message is for its user."""
