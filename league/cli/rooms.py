"""Whether `games`, `arena` and `agents` are this project's packages.

Other distributions use some of these names, too, and Python imports whichever it finds first. So
this file imports nothing but the standard library.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

ROOMS = ("games", "arena", "agents")
"""The packages that must be beside `league`."""


def check_rooms() -> None:
    """Checks that each room would be imported from beside this package; imports none of them.

    Raises:
      ImportError: a room is missing, or another package or module has its name and comes first; the
        message is one line with the place of that one.
    """
    home = Path(__file__).resolve().parents[2]
    for room in ROOMS:
        place = _place(room)
        if place is None:
            raise ImportError(f"the package {room!r} is missing from {home}")
        if place.resolve() != home / room:
            raise ImportError(
                f"{place} is imported as {room!r} in place of {home / room}: it belongs to another "
                "package; take it off PYTHONPATH, uninstall it, or start from another folder"
            )


def check_rooms_or_exit() -> None:
    """For commands: as `check_rooms`, but prints the message to stderr and exits with code 2."""
    try:
        check_rooms()
    except ImportError as error:
        print(f"arena: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def _place(name: str) -> Path | None:
    """The folder of a package or the file of a module, as Python would import it, or None."""
    spec = find_spec(name)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin else None
