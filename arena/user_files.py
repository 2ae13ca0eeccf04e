"""What a user's own Python file holds: a policy, a mapping."""

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any


def load(spec: str, name: str) -> Any:
    """What `FILE.py[:NAME]` means.

    Args:
      spec: as a user types it. The file may import others of its folder.
      name: what is meant if it says no NAME.

    Raises:
      ValueError: there is no such file or name, or the file does not load; in one line.
    """
    place, _, chosen = spec.partition(":")
    path, name = Path(place), chosen or name
    if path.suffix != ".py" or not path.is_file():
        raise ValueError(f"there is no Python file {place!r}")
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        found.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"{place} does not load: {reason(error)}") from None
    finally:
        sys.path.pop(0)
    if not hasattr(module, name):
        raise ValueError(f"{place} defines no {name!r}")
    return getattr(module, name)


def reason(error: Exception) -> str:
    """What went wrong in somebody else's code, and where, in one line."""
    text = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return type(error).__name__ + (f": {text}" if text else "") + place
