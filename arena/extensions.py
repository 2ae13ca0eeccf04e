"""Whatever a name can be given for can come from outside the repository.

A name is one of ours, or `MODULE:CLASS` of an installed package or of the folder that the process
started in, or `FILE.py:CLASS`, or an entry point that a distribution declares in a group such as
`arena.learners` (packaging.python.org/specifications/entry-points).
"""

import hashlib
import importlib
import importlib.util
import os
import sys
import sysconfig
import traceback
import zlib
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from arena.errors import UserError


def find(kind: str, name: str, own: Mapping[str, Any]) -> Any:
    """What a name means.

    Args:
      kind: what is looked for: `learner`, `network`, …; its entry points are in `arena.{kind}s`.
      name: as a user types it.
      own: those of this package, by name.

    Raises:
      UserError: there is none, or it does not load.
    """
    if name in own:
        return own[name]
    if ":" in name:
        return load(name)
    points = metadata.entry_points(group=f"arena.{kind}s")
    if name in points.names:
        try:
            return points[name].load()
        except (Exception, SystemExit) as error:
            raise UserError(f"the {kind} {name!r} does not load: {reason(error)}") from None
    known = ", ".join(names(kind, own))
    raise UserError(f"there is no {kind} {name!r}; there are: {known}; or MODULE:CLASS")


def names(kind: str, own: Mapping[str, Any]) -> list[str]:
    """The names of all that can be had without saying where it is: `own`, and entry points."""
    return sorted({*own, *metadata.entry_points(group=f"arena.{kind}s").names})


def load(spec: str, default: str = "") -> Any:
    """What `MODULE:NAME` or `FILE.py[:NAME]` holds.

    Args:
      spec: as a user types it; a file may import others of its folder.
      default: the NAME meant if none is given.

    Raises:
      UserError: there is no such module, file or name, or it does not load; in one line.
    """
    place, name = split(spec)
    name = name or default
    module = load_file(place) if place.endswith(".py") else _module(place)
    try:
        return getattr(module, name)
    except AttributeError:
        raise UserError(f"{place} defines no {name!r}") from None


def split(spec: str) -> tuple[str, str]:
    """Place and name of `MODULE:NAME`, `FILE.py:NAME` or `FILE.py`; a file's path may have colons.

    The name is empty if there is none.
    """
    if spec.endswith(".py"):
        return spec, ""
    head, _, name = spec.rpartition(":")
    if head.endswith(".py"):
        return head, name
    head, _, name = spec.partition(":")
    return head, name


def with_file(spec: str, change: Callable[[str], str]) -> str:
    """`FILE.py[:NAME]` with what `change` makes of the path; a name of no file as it is."""
    place, name = split(spec)
    if not place.endswith(".py"):
        return spec
    return change(place) + (f":{name}" if name else "")


def spec_of(kind: Any) -> str:
    """The name under which `load` finds a class or function of a module again.

    Raises:
      UserError: it would not find it.
    """
    module = sys.modules[kind.__module__]
    if getattr(module, kind.__qualname__, None) is not kind:
        raise UserError(
            f"{kind.__qualname__} does not stand at the top of the module {module.__name__}, so "
            "that no run card could name it"
        )
    path = getattr(module, "__arena_file__", None)
    return f"{path or module.__name__}:{kind.__qualname__}"


def user_modules() -> list[ModuleType]:
    """The modules that users' FILE.py have become in this process."""
    return [module for module in sys.modules.values() if hasattr(module, "__arena_file__")]


def file_digest(spec: str) -> str:
    """SHA-256 of the file of `FILE.py[:NAME]`; "" of what names no file that is there."""
    path = Path(split(spec)[0])
    there = path.suffix == ".py" and path.is_file()
    return hashlib.sha256(path.read_bytes()).hexdigest() if there else ""


def _module(name: str) -> ModuleType:
    if not name or not all(part.isidentifier() for part in name.split(".")):
        raise UserError(f"{name!r} is neither a module nor a Python file")
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name + ".").startswith(error.name + "."):
            raise UserError(f"there is no module {name!r}") from None
        raise UserError(f"{name} does not load: {reason(error)}") from None
    except (Exception, SystemExit) as error:
        raise UserError(f"{name} does not load: {reason(error)}") from None
    finally:
        sys.path.pop(0)


def load_file(place: str) -> ModuleType:
    """The module of a user's file, loaded once.

    Raises:
      UserError: it is not there, or does not load; in one line.
    """
    path = Path(place)
    if not path.is_file():
        raise UserError(f"there is no Python file {place!r}")
    path = path.resolve()
    # A name of its own: a file may be called like a module that is loaded already.
    name = f"arena_user_{zlib.crc32(str(path).encode()):08x}_{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    module.__dict__["__arena_file__"] = str(path)
    sys.path.insert(0, str(path.parent))
    # Dataclasses with postponed annotations look their module up while it loads.
    sys.modules[name] = module
    try:
        found.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserError(f"{place} does not load: {reason(error)}") from None
    finally:
        sys.path.pop(0)
    return module


def reason(error: BaseException) -> str:
    """What went wrong in somebody else's code, and where, in one line.

    Where a library raised it, the line is the one that called the library.
    """
    text = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    frame = users_frame(error) or (frames[-1] if frames else None)
    place = f" ({Path(frame.filename).name}, line {frame.lineno})" if frame else ""
    return type(error).__name__ + (f": {text}" if text else "") + place


def users_frame(error: BaseException) -> traceback.FrameSummary | None:
    """The innermost line on the way to an error that is neither ours nor a library's."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(_NOT_USERS):
            return frame
    return None


def _not_users() -> tuple[str, ...]:
    """How the paths of Python's and installed files begin, and those of our rooms."""
    root = Path(__file__).resolve().parents[1]
    rooms = [str(root / room) + os.sep for room in ("games", "arena", "agents", "league")]
    kinds = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
    return ("<", *{sysconfig.get_path(kind) + os.sep for kind in kinds}, *rooms)


_NOT_USERS = _not_users()
