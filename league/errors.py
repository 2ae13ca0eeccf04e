"""What a user did wrong, said in one line."""


class UserError(Exception):
    """Input that cannot be served; `arena` prints its one line and exits with code 2."""
