"""What JSON holds, as Python reads it."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""An object: null, booleans, numbers, strings, lists and objects by key."""
