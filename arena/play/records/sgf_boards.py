"""SGF of games whose moves are a point each: go, othello, gomoku, hex."""

import math
import re
from abc import abstractmethod
from collections.abc import Sequence

from arena.play.records.sgf_tree import FoundMoves, Node, SgfGame, board_size
from arena.play.session import Session
from games import Game, text_positions
from games.go import Go
from games.gomoku import Gomoku
from games.hex import Hex
from games.othello import Othello

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SETUP = {"AB", "AW", "AE"}
_CELL = re.compile(r"([a-zA-Z])(\d{1,2})")


class _Points(SgfGame):
    """A game of points; subclasses say how a move is written."""

    @abstractmethod
    def value(self, session: Session, move: int) -> str:
        """How a legal move is written."""

    @abstractmethod
    def move(self, session: Session, value: str) -> str | None:
        """The label of the move that is written so; None if the players end the game here."""

    def write(self, session: Session, labels: Sequence[str]) -> list[Node]:
        """A node for each move."""
        nodes = []
        for label in labels:
            move = session.parse(label)
            nodes.append({self.colours[session.seat]: [self.value(session, move)]})
            session.push(move)
        return nodes

    def read(self, game: Game, start: str, nodes: Sequence[Node]) -> FoundMoves:
        """The moves; one that the rules force, a pass for one, may be left out."""
        begun = text_positions(game).from_text(start) if start else None
        session = Session(game, start=begun)
        for number, (colour, value) in enumerate(_played(nodes), 1):
            if session.over:
                break
            try:
                if session.seat != self.colours.index(colour) and len(session.legal_moves) == 1:
                    session.push(*session.legal_moves)
                if session.over or (label := self.move(session, value)) is None:
                    break
                if session.seat != self.colours.index(colour):
                    raise ValueError(f"it is not {colour}'s turn")
                session.push(label)
            except ValueError as error:
                raise ValueError(f"move {number}, {colour}[{value:.20}]: {error}") from None
        return FoundMoves(list(session.record.labels))


def _played(nodes: Sequence[Node]) -> list[tuple[str, str]]:
    """Colour and value of each move; raises ValueError if a node has two."""
    found = []
    for node in nodes:
        here = [(colour, value) for colour in "BW" for value in node.get(colour, ())]
        if len(here) > 1:
            raise ValueError("a node holds more than one move")
        found += [(colour, value.strip()) for colour, value in here]
    return found


class _Go(_Points):
    """Points in two letters from the top left; a pass is empty, or tt."""

    number, rules = 1, Go

    def root(self, game: Go) -> Node:
        """Size, komi and rules."""
        return {"SZ": [str(game.size)], "KM": [f"{game.komi:g}"], "RU": ["Chinese"]}

    def name(self, root: Node) -> str:
        """With size and komi, where they are not the usual ones; without a komi there is none."""
        size = board_size(root, 19)
        text = (root.get("KM") or ["0"])[0].strip() or "0"
        try:
            komi = float(text.replace(",", "."))
        except ValueError:
            raise ValueError(f"the komi {text!r:.20} is no number") from None
        if not 2 <= size <= 19 or not math.isfinite(komi):
            raise ValueError(f"go of size {size} with komi {komi:g} is not played")
        options = [f"size={size}"] if size != Go.size else []
        options += [f"komi={komi:g}"] if komi != Go.komi else []
        return f"go:{','.join(options)}" if options else "go"

    def setup(self, start: str) -> Node:
        """The stones, and who is to move."""
        found: Node = {}
        for name, values in re.findall(r"(AB|AW|PL)((?:\[\w+\])+)", start):
            found[name] = re.findall(r"\w+", values)
        if len(found.get("AB", ())) > 1 and "AW" not in found and found["PL"] == ["W"]:
            found["HA"] = [str(len(found["AB"]))]
        return found

    def start(self, game: Go, nodes: Sequence[Node]) -> str:
        """The stones that are set up before the first move, and who makes that."""
        stones: dict[str, str] = {}
        turn, moved = "", False
        for node in nodes:
            if moved and _SETUP & set(node):
                raise ValueError("stones are set up in the middle of the game")
            for name in ("AB", "AW", "AE"):
                for point in _expanded(node.get(name, ())):
                    stones[point] = name
            turn = (node.get("PL") or [turn])[0].strip()[:1].upper() if not moved else turn
            first = next((colour for colour in "BW" if colour in node), "")
            if first and not moved:
                turn, moved = first, True
        own = {n: sorted(p for p, by in stones.items() if by == n) for n in ("AB", "AW")}
        if not own["AB"] and not own["AW"]:
            return "PL[W]" if turn == "W" else ""
        if not turn:
            turn = "B" if own["AW"] else "W"
        texts = [f"{n}{''.join(f'[{p}]' for p in ps)}" for n, ps in own.items() if ps]
        text = f"{''.join(texts)}PL[{turn if turn in 'BW' else 'B'}]"
        return game.to_text(game.from_text(text))

    def value(self, session: Session, move: int) -> str:
        """Column and row from the top left."""
        size = self.size(session.game)
        if move == size**2:
            return ""
        return _LETTERS[move % size] + _LETTERS[size - 1 - move // size]

    def move(self, session: Session, value: str) -> str:
        """The label of a point or of a pass."""
        size = self.size(session.game)
        if value == "" or (value == "tt" and size <= 19):
            return "pass"
        column, row = _pair(value, size)
        return session.game.label(session.state, (size - 1 - row) * size + column)


class _Othello(_Points):
    """Points in two letters from the top left, or as players write them; a pass is empty."""

    number, rules = 2, Othello

    def root(self, game: Othello) -> Node:
        """The size."""
        return {"SZ": ["8"]}

    def name(self, root: Node) -> str:
        """On the usual board."""
        if board_size(root, 8) != 8:
            raise ValueError("othello is played on 8×8 alone")
        return "othello"

    def start(self, game: Othello, nodes: Sequence[Node]) -> str:
        """The initial position, which files may set up disc by disc."""
        found = {
            (name, p) for node in nodes for name in _SETUP for p in _expanded(node.get(name, ()))
        }
        usual = {("AB", "ed"), ("AB", "de"), ("AW", "dd"), ("AW", "ee")}
        if found and found != usual:
            raise ValueError("it begins with discs set up, which is read in go alone")
        return ""

    def value(self, session: Session, move: int) -> str:
        """Column and row from the top left."""
        return "" if move == 64 else _LETTERS[move % 8] + _LETTERS[move // 8]

    def move(self, session: Session, value: str) -> str:
        """The label of a cell or of a pass."""
        if value.lower() in ("", "pass", "pa", "tt"):
            return "pass"
        if _CELL.fullmatch(value):
            return value.lower()
        column, row = _pair(value, 8)
        return f"{_LETTERS[column]}{row + 1}"


class _Gomoku(_Points):
    """Points in two letters from the top left, or as players write them."""

    number, rules = 4, Gomoku

    def root(self, game: Gomoku) -> Node:
        """The size."""
        return {"SZ": [str(game.size)]}

    def name(self, root: Node) -> str:
        """With the size, where it is not the usual one."""
        size = board_size(root, 15)
        if not 5 <= size <= 19:
            raise ValueError(f"gomoku of size {size} is not played")
        return "gomoku" if size == Gomoku.size else f"gomoku:size={size}"

    def value(self, session: Session, move: int) -> str:
        """Column and row from the top left."""
        row, column = divmod(move, self.size(session.game))
        return _LETTERS[column] + _LETTERS[row]

    def move(self, session: Session, value: str) -> str:
        """The label of a crossing."""
        size = self.size(session.game)
        if _CELL.fullmatch(value):
            return value.lower()
        column, row = _pair(value, size)
        return session.game.label(session.state, row * size + column)


class _Hex(_Points):
    """Cells as players write them, `a1` at the top left; black is red, and joins top and bottom.

    With `swap-pieces`, as here, white takes black's first stone over, on the cell reflected in the
    long diagonal. With `swap-sides` the players change colours and stones stay: that is the same
    game with all that follows reflected.
    """

    number, rules = 11, Hex

    def root(self, game: Hex) -> Node:
        """The size."""
        return {"SZ": [str(game.size)]}

    def name(self, root: Node) -> str:
        """With the size, where it is not the usual one, and with the swap."""
        size = board_size(root, 11)
        if not 1 <= size <= 19:
            raise ValueError(f"hex of size {size} is not played")
        return f"hex:{'' if size == Hex.size else f'size={size},'}swap=true"

    def value(self, session: Session, move: int) -> str:
        """The label, or the swap."""
        label = session.label(move)
        return "swap-pieces" if label == "swap" else label

    def read(self, game: Game, start: str, nodes: Sequence[Node]) -> FoundMoves:
        """The moves; the players take turns, whatever colours they are given."""
        values = [value.lower() for _, value in _played(nodes)]
        if "swap-sides" in values:
            at = values.index("swap-sides")
            values = [*values[:at], "swap", *map(_reflected, values[at + 1 :])]
        turns: list[Node] = [{"BW"[n % 2]: [value]} for n, value in enumerate(values)]
        return super().read(game, start, turns)

    def move(self, session: Session, value: str) -> str | None:
        """The label of a cell, or of the swap."""
        if value in ("resign", "forfeit"):
            return None
        if value in ("swap", "swap-pieces"):
            return "swap"
        if _CELL.fullmatch(value):
            return value
        column, row = _pair(value, self.size(session.game))
        return f"{_LETTERS[column]}{row + 1}"


def _reflected(value: str) -> str:
    """A cell reflected in the long diagonal; other values as they are."""
    if cell := _CELL.fullmatch(value):
        return f"{_LETTERS[(int(cell[2]) - 1) % 26]}{_LETTERS.index(cell[1]) + 1}"
    return value[::-1] if len(value) == 2 else value


def _pair(value: str, size: int) -> tuple[int, int]:
    """Column and row of two letters; raises ValueError if they are no point."""
    places = [_LETTERS[:size].find(letter) for letter in value]
    if len(places) != 2 or min(places) < 0:
        raise ValueError(f"it is no point of a board of {size}×{size}")
    return places[0], places[1]


def _expanded(values: Sequence[str]) -> list[str]:
    """Points, those of rectangles such as `aa:cc` one by one."""
    found: list[str] = []
    for value in values:
        first, colon, last = value.strip().partition(":")
        if not colon:
            found.append(first)
            continue
        (left, top), (right, bottom) = _pair(first, 26), _pair(last, 26)
        found += [
            _LETTERS[column] + _LETTERS[row]
            for row in range(top, bottom + 1)
            for column in range(left, right + 1)
        ]
    return found


KINDS = (_Go(), _Othello(), _Gomoku(), _Hex())
