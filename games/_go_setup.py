"""Go: what points are coded as, and positions that are set up stone by stone."""

import re
from functools import cache
from itertools import product

import numpy as np

EMPTY, KO = np.uint16(0b00011), np.uint16(0b10011)  # KO: empty, but closed for one ply
_LETTERS = "abcdefghijklmnopqrs"
_PROPERTY = re.compile(r"\s*(AB|AW|PL)((?:\s*\[[^\]]*\])+)\s*")
_VALUE = re.compile(r"\[([^\]]*)\]")


@cache
def padded_size(size: int) -> int:
    """The points of a board and some more, up to the next 6·2ᵏ, which `_fold` can halve."""
    return next(6 << k for k in range(9) if 6 << k > size**2)


@cache
def stone_keys(size: int) -> np.ndarray:
    """The key of a stone of each seat on each point, u32[2, 2, width]; boards are sums modulo 2."""
    keys = np.zeros((2, 2, padded_size(size)), np.uint32)
    points = np.arange(size**2)
    if len(points) <= 32:
        keys[0, 0, points] = keys[1, 1, points] = 1 << points
    else:
        rng = np.random.default_rng(0)
        keys[:, :, points] = rng.integers(1 << 32, size=(2, 2, len(points)))
    return keys


def read(size: int, text: str) -> tuple[list[int], int]:
    """The position that a setup in SGF's properties gives, such as `AB[cc][gg]AW[ee]PL[W]`.

    Returns:
      the seat whose stone is on each point, -1 where there is none; and the seat to move.

    Raises:
      ValueError: it is no setup, or no position that a game can reach; in one line.
    """
    stones, seat, at = [-1] * size**2, 0, 0
    while at < len(text) and (found := _PROPERTY.match(text, at)):
        name, at = found[1], found.end()
        for value in _VALUE.findall(found[2]):
            if name == "PL" and value in ("B", "W"):
                seat = "BW".index(value)
                continue
            point = _point(size, value) if name != "PL" else None
            if point is None or stones[point] >= 0:
                raise ValueError(f"SGF setup: {name}[{value:.9}] does not fit on {size}×{size}")
            stones[point] = ("AB", "AW").index(name)
    if at < len(text) or not text.strip():
        raise ValueError(f"{text!r:.60} is no SGF setup, such as AB[cc][gg]AW[ee]PL[W]")
    return stones, seat


def write(size: int, stones: list[int], seat: int) -> str:
    """The inverse of `read`."""
    texts = []
    for number, name in enumerate(("AB", "AW")):
        own = [point for point, stone in enumerate(stones) if stone == number]
        texts.append(name + "".join(f"[{coordinates(size, p)}]" for p in own) if own else "")
    return f"{''.join(texts)}PL[{'BW'[seat]}]"


def coordinates(size: int, point: int) -> str:
    """A point in SGF's two letters: column from the left, row from the top."""
    row, column = divmod(point, size)
    return _LETTERS[column] + _LETTERS[size - 1 - row]


def _point(size: int, text: str) -> int | None:
    """The inverse of `coordinates`; None for others."""
    places = [_LETTERS[:size].find(letter) for letter in text]
    if len(places) != 2 or min(places) < 0:
        return None
    return (size - 1 - places[1]) * size + places[0]


def tags(size: int, stones: list[int]) -> np.ndarray:
    """The tags u16[size²] of a board's points, see games/go.py.

    Raises:
      ValueError: a group has no liberty.
    """
    found = np.full(size**2, EMPTY)
    for group, liberties in _groups(size, stones):
        if not liberties:
            raise ValueError("SGF setup: a group of stones has no liberty")
        seat = stones[min(group)]
        lives = 2 >> seat if len(liberties) == 1 else 1 << seat
        found[list(group)] = min(group) << 4 | 4 << seat | lives
    return found


def _groups(size: int, stones: list[int]) -> list[tuple[set[int], set[int]]]:
    """Every group's points, and its liberties."""
    found, seen = [], set()
    for start, seat in enumerate(stones):
        if seat < 0 or start in seen:
            continue
        group, liberties, front = {start}, set(), [start]
        while front:
            for point in _neighbours(size, front.pop()):
                if stones[point] < 0:
                    liberties.add(point)
                elif stones[point] == seat and point not in group:
                    group.add(point)
                    front.append(point)
        seen |= group
        found.append((group, liberties))
    return found


def _neighbours(size: int, point: int) -> list[int]:
    row, column = divmod(point, size)
    steps = ((row, column - 1), (row, column + 1), (row - 1, column), (row + 1, column))
    inside = set(product(range(size), repeat=2))
    return [r * size + c for r, c in steps if (r, c) in inside]


def key(size: int, stones: list[int]) -> np.ndarray:
    """The key of a board, u32[2]."""
    found = np.zeros(2, np.uint32)
    for point, seat in enumerate(stones):
        if seat >= 0:
            found ^= stone_keys(size)[seat, :, point]
    return found
