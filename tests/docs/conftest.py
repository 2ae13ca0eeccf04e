"""The folder to call `arena` in is the one of the league's tests."""

from tests.league.conftest import cache, here, place

__all__ = ["cache", "here", "place"]
