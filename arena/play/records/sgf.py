"""Games in the Smart Game Format (red-bean.com/sgf), FF[4], through sgfmill's grammar.

Games of five kinds are read and written: go, othello, gomoku, backgammon and hex; `sgf_boards.py`
and `sgf_backgammon.py` say how their moves are written. What no property of SGF holds, the game's
options for one, stands in a property of our own, `XA`, as JSON.
"""

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from sgfmill import sgf_grammar

from arena.errors import UserError
from arena.play.records import sgf_backgammon, sgf_boards
from arena.play.records.pgn import note_text, read_note
from arena.play.records.saved import LoadGame, MoveNote, Player, SavedGame, begin, rules_of
from arena.play.records.sgf_tree import Node, SgfGame
from games import Game

_KINDS: dict[int, SgfGame] = {
    kind.number: kind for kind in (*sgf_boards.KINDS, sgf_backgammon.BACKGAMMON)
}
_LARGEST = 1 << 24  # bytes of one game
_BLOCK = 1 << 20
_OWN = "XA"  # of two letters, as some readers want it
_DRAWS = {"0", "draw", "jigo"}
# Some leave out the semicolon of the first node.
_START = re.compile(rb"\(\s*(?:;|(?=[A-Z]{1,2}\s*\[))")
_BEGINS = re.compile(rb"\n\(;(?:FF|GM|CA|SZ)\[")
_NEXT = re.compile(rb"\n\s*\(\s*;")
_SPECIAL = re.compile(rb"[\[\]()\\]")


def kind_of(game: Game) -> SgfGame | None:
    """How games of this kind are written; None if SGF has no such kind."""
    return next((kind for kind in _KINDS.values() if isinstance(game, kind.rules)), None)


# --- writing ----------------------------------------------------------------------------------


def write(kept: SavedGame, load: LoadGame) -> str:
    """A game, with the end of its line.

    Raises:
      ValueError: SGF has no such game, or a move in it is not legal; in one line.
    """
    game = rules_of(kept, load)
    kind = kind_of(game)
    if kind is None:
        known = ", ".join(
            sorted(kind.rules.__module__.rpartition(".")[2] for kind in _KINDS.values())
        )
        raise ValueError(f"an SGF file holds games of {known}, not of {kept.game}")
    nodes = [_root(kept, game, kind), *kind.write(begin(kept, game), kept.moves)]
    for node, note in zip(nodes[1:], _noted(kept, nodes[1:]), strict=True):
        if note:
            node["C"] = [note_text(note)]
    tree = sgf_grammar.Coarse_game_tree()
    tree.sequence = [
        {name: [_escaped(value) for value in values] for name, values in node.items()}
        for node in nodes
    ]
    return sgf_grammar.serialise_game_tree(tree).decode("utf-8")


def _noted(kept: SavedGame, nodes: list[Node]) -> list[MoveNote | None]:
    """The note for each node; where a node is not a move each, there are none."""
    whole = len(kept.notes) == len(kept.moves) == len(nodes)
    return list(kept.notes) if whole else [None] * len(nodes)


def _root(kept: SavedGame, game: Game, kind: SgfGame) -> Node:
    one, two = kept.players
    by_colour = dict(zip(kind.colours, (one, two), strict=True))
    own = {
        "game": kept.game,
        "version": kept.version,
        "seed": kept.seed,
        "date": kept.date,
        "termination": kept.termination,
        "digests": [one.digest, two.digest],
        "tags": dict(kept.tags),
    }
    root: Node = {
        "FF": ["4"],
        "GM": [str(kind.number)],
        "CA": ["UTF-8"],
        "AP": ["Arena"],
        **kind.root(game),
        **kind.setup(kept.start),
        "PB": [by_colour["B"].name],
        "PW": [by_colour["W"].name],
        "RE": [_written_result(kept, game, kind)],
        _OWN: [json.dumps(own, ensure_ascii=False, separators=(",", ":"))],
    }
    if kept.date:
        root["DT"] = [kept.date[:10]]
    return root


def _written_result(kept: SavedGame, game: Game, kind: SgfGame) -> str:
    if kept.result is None:
        return "Void"
    if not kept.result:
        return "0"
    points = round(abs(kept.result) * game.max_payoff)
    score = "R" if kept.termination else str(points) if game.max_payoff > 1 else ""
    return f"{kind.colours[int(kept.result < 0)]}+{score}"


def _escaped(value: str) -> bytes:
    return sgf_grammar.escape_text(value.encode("utf-8"))


# --- reading ----------------------------------------------------------------------------------


def read(
    file: BinaryIO, load: LoadGame, game: Game | None = None
) -> Iterator[SavedGame | ValueError]:
    """The games of a file, one after the other; an error in one line for each that is broken.

    Variations and comments are left out, and moves that follow the end that the rules here give a
    game.

    Args:
      file: a collection of games.
      load: gives a game by its name.
      game: what games shall be read as, where size and kind allow it, whatever their komi is; as
        what they are if None.
    """
    found = False
    for text in split(file):
        found = True
        try:
            yield _read(text, load, game)
        except UserError as error:
            yield ValueError(str(error))
        except ValueError as error:
            yield error
    if not found and file.tell():
        yield ValueError("there is no game in the file: none begins with (; in UTF-8 or Latin-1")


def split(file: BinaryIO) -> Iterator[bytes]:
    """The texts of a collection's game trees; the last one, or one that is cut off, as it is.

    A tree that does not end before the file does, or is too large, ends where the next one seems to
    begin: at a line that begins with `(;`.
    """
    left = b""
    at_end = False
    while not at_end:
        block = file.read(_BLOCK)
        at_end = not block
        left += block
        while True:
            end = _end(left)
            if end is None and not (at_end or len(left) > _LARGEST):
                break
            start = _START.search(left)
            if start is None:
                left = left[-2:] if not at_end else b""
                break
            if end is None:
                following = _NEXT.search(left, start.end())
                end = len(left) if following is None else following.start()
            yield left[start.start() : end]
            left = left[end:]


def _end(text: bytes) -> int | None:
    """Where the first game tree ends; None if it does not, or there is none."""
    start = _START.search(text)
    if start is None:
        return None
    depth, inside, escaped = 0, False, -1
    for found in _SPECIAL.finditer(text, start.start()):
        at, character = found.start(), found[0]
        if at == escaped:
            continue
        if character == b"\\":
            escaped = at + 1
        elif inside:
            if character == b"(" and _BEGINS.match(text, at - 1):
                return at  # a game was cut off in a value, and another written behind it
            inside = character != b"]"
        elif character == b"[":
            inside = True
        elif character in b"()":
            depth += 1 if character == b"(" else -1
            if not depth:
                return found.end()
    return None


def _read(text: bytes, load: LoadGame, game: Game | None) -> SavedGame:
    try:
        tree = sgf_grammar.parse_sgf_game(_START.sub(b"(;", text, count=1))
    except ValueError as error:
        raise ValueError(f"no SGF, or cut off: {error}") from None
    raw = list(sgf_grammar.main_sequence_iter(tree))
    encoding = (raw[0].get("CA") or [b"UTF-8"])[0].decode("latin-1").strip()
    nodes = [{k: [_decoded(v, encoding) for v in values] for k, values in n.items()} for n in raw]
    root = nodes[0]
    number = _first(root, "GM", "1")
    kind: SgfGame | None = _KINDS.get(int(number) if number.isdecimal() and len(number) < 4 else -1)
    if kind is None:
        raise ValueError(f"games of SGF's kind GM[{number:.10}] are not read")
    own = _own(root)
    name = _name(kind, root, own, load, game)
    rules = game or load(name)
    start = kind.start(rules, nodes)
    moves, outcomes, notes = _moves(kind, rules, start, nodes)
    one, two = (Player(_first(root, f"P{colour}", "?") or "?") for colour in kind.colours)
    digests = own.get("digests") or ["", ""]
    return SavedGame(
        game=name,
        version=int(own.get("version", rules.version)),
        players=(one._replace(digest=str(digests[0])), two._replace(digest=str(digests[1]))),
        start=start,
        seed=own.get("seed"),
        moves=tuple(moves),
        outcomes=tuple(outcomes),
        result=_result(_first(root, "RE", ""), kind, rules),
        termination=str(own.get("termination", "")),
        date=str(own.get("date") or _date(_first(root, "DT", ""))),
        notes=tuple(notes) if any(notes) else (),
        tags=dict(own.get("tags") or _tags(root)),
    )


def _moves(
    kind: SgfGame, rules: Game, start: str, nodes: list[Node]
) -> tuple[list[str], list[int], list[MoveNote | None]]:
    """Labels, outcomes of chance, and notes."""
    found = kind.read(rules, start, nodes)
    notes = [read_note(_first(node, "C", "")) for node in nodes if {"B", "W"} & set(node)]
    notes = notes if len(notes) == len(found.labels) else []
    return found.labels, found.outcomes, notes


def _name(kind: SgfGame, root: Node, own: dict, load: LoadGame, game: Game | None) -> str:
    """The game's name; raises ValueError if it is none of `game`'s kind and size."""
    name = kind.name(root)
    if isinstance(own.get("game"), str):
        try:
            if isinstance(load(own["game"]), kind.rules):
                name = own["game"]
        except ValueError:
            pass  # by options that another version had
    if game is not None and not (
        isinstance(game, kind.rules) and kind.size(load(name)) == kind.size(game)
    ):
        raise ValueError(f"it is a game of {name}")
    return name


def _own(root: Node) -> dict:
    try:
        found = json.loads(_first(root, _OWN, "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _decoded(value: bytes, encoding: str) -> str:
    text = sgf_grammar.text_value(value)
    for codec in (encoding, "utf-8"):
        try:
            return text.decode(codec)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return text.decode("latin-1")


def _first(node: Node, name: str, default: str) -> str:
    return (node.get(name) or [default])[0].strip()


def _result(text: str, kind: SgfGame, rules: Game) -> float | None:
    """Of seat 0; None where there is none, or it is not known."""
    if text.lower() in _DRAWS:
        return 0.0
    winner, plus, score = text.partition("+")
    if not plus or winner.upper() not in kind.colours:
        return None
    sign = 1.0 if winner.upper() == kind.colours[0] else -1.0
    if rules.max_payoff > 1 and score.isdecimal():
        return sign * min(1.0, int(score[:4]) / rules.max_payoff)
    return sign


def _date(text: str) -> str:
    found = re.match(r"\d{4}(-\d\d(-\d\d)?)?(?!\d)", text)
    return found[0] if found else ""


def _tags(root: Node) -> dict[str, str]:
    names = {"EV": "Event", "RO": "Round", "PC": "Site"}
    return {tag: text for name, tag in names.items() if (text := _first(root, name, ""))}
