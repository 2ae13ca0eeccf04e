"""Games of chess in the Portable Game Notation, through python-chess.

Beside the usual tags of a game it keeps `Game`, if the game has options, `Seed`, `WhiteDigest`,
`BlackDigest`, and what else it is tagged with. What was found out before a move stands in a comment
behind it: `{value 0.231, visits 64}`, the value for who moves.
"""

import re
from collections.abc import Iterator
from typing import Any, TextIO

import chess
import chess.pgn

from arena.play.records.saved import MoveNote, Player, SavedGame
from games.chess import Chess

_RESULTS = {"1-0": 1.0, "0-1": -1.0, "1/2-1/2": 0.0, "*": None}
_NOTE = re.compile(r"value (-?[\d.]+)(?:, visits (\d+))?")
_KNOWN = {
    *("Event", "Site", "Date", "Round", "White", "Black", "Result", "FEN", "SetUp", "Game"),
    *("Seed", "WhiteDigest", "BlackDigest", "Termination", "UTCDate", "UTCTime", "PlyCount"),
    *("GameVersion",),
}
_OTHER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")


def note_text(note: MoveNote) -> str:
    """What was found out before a move, as a comment."""
    visits = "" if note.visits is None else f", visits {note.visits}"
    return f"value {note.value:.4g}{visits}"


def read_note(comment: str) -> MoveNote | None:
    """The inverse of `note_text`; None for other comments."""
    found = _NOTE.fullmatch(" ".join(comment.split()))
    try:
        return MoveNote(float(found[1]), int(found[2]) if found[2] else None) if found else None
    except ValueError:
        return None


def write(kept: SavedGame) -> str:
    """A game, with an empty line behind it.

    Raises:
      ValueError: it is no game of chess, or a move in it is not legal; in one line.
    """
    if kept.game.partition(":")[0] != "chess":
        raise ValueError(f"a PGN file holds games of chess, not of {kept.game}")
    game = chess.pgn.Game(_headers(kept))
    if kept.start:
        game.setup(kept.start)
    node: chess.pgn.GameNode = game
    board = game.board()
    for number, label in enumerate(kept.moves):
        node = node.add_variation(board.push_san(label))
        note = kept.notes[number] if number < len(kept.notes) else None
        node.comment = note_text(note) if note else ""
    return f"{game.accept(chess.pgn.StringExporter(columns=80))}\n\n"


def _headers(kept: SavedGame) -> chess.pgn.Headers:
    day, _, time = kept.date.partition("T")
    day = day.replace("-", ".")
    result = next((text for text, value in _RESULTS.items() if value == _sign(kept.result)), "*")
    one, two = kept.players
    tags: dict[str, object] = {
        "Event": kept.tags.get("Event", "?"),
        "Site": kept.tags.get("Site", "?"),
        "Date": day or "????.??.??",
        "Round": kept.tags.get("Round", "?"),
        "White": one.name,
        "Black": two.name,
        "Result": result,
        "UTCDate": day if time else "",
        "UTCTime": time.removesuffix("Z"),
        "Game": kept.game if kept.game != "chess" else "",
        "GameVersion": kept.version if kept.version != 1 else "",
        "Seed": "" if kept.seed is None else kept.seed,
        "WhiteDigest": one.digest,
        "BlackDigest": two.digest,
        "Termination": kept.termination,
    }
    tags |= {key: value for key, value in kept.tags.items() if _OTHER.fullmatch(key)}
    return chess.pgn.Headers({key: _line(value) for key, value in tags.items() if value != ""})


def _sign(result: float | None) -> float | None:
    return None if result is None else float((result > 0) - (result < 0))


def _line(value: object) -> str:
    return " ".join(str(value).replace('"', "'").split())  # a tag's value has no quotes


def read(file: TextIO) -> Iterator[SavedGame | ValueError]:
    """The games of a file, one after the other; an error in one line for each that is broken.

    Variations and comments are left out. Moves that follow the end that the rules here give a game,
    the third repetition for one, which players have to claim, are left out, too.
    """
    while (found := chess.pgn.read_game(file, Visitor=_Visitor)) is not None:
        yield found


class _Visitor(chess.pgn.BaseVisitor[SavedGame | ValueError]):
    """Keeps the main line of a game."""

    def __init__(self) -> None:
        self._headers = chess.pgn.Headers({})
        self._moves: list[str] = []
        self._notes: list[MoveNote | None] = []
        self._fault = ""
        self._start: chess.Board | None = None
        self._over = False
        self._end: str | None = None
        self._plies = Chess.plies

    def begin_headers(self) -> chess.pgn.Headers:
        return self._headers

    def visit_header(self, tagname: str, tagvalue: str) -> None:
        self._headers[tagname] = tagvalue

    def end_headers(self) -> Any:
        variant = self._headers.get("Variant", "").strip().lower()
        if variant not in ("", "standard", "chess", "from position", "normal"):
            self._fault = f"a game of {variant:.40}, not of chess"
        name = self._headers.get("Game", "chess")
        if not self._fault and name.startswith("chess:plies="):
            self._plies = int(name.removeprefix("chess:plies=")[:6] or 0)
        return chess.pgn.SKIP if self._fault else None

    def begin_variation(self) -> Any:
        return chess.pgn.SKIP

    def visit_board(self, board: chess.Board) -> None:
        if self._start is None:
            self._start = board.copy()
            if not board.is_valid():
                flaw = str(board.status().name).lower().replace("_", " ")
                self._fault = self._fault or f"it begins in no legal position: {flaw}"

    def visit_move(self, board: chess.Board, move: chess.Move) -> None:
        self._over = self._over or _ended(board, self._plies)
        if not (self._over or self._fault):
            if not move:
                self._fault = f"move {len(self._moves) + 1} is not legal"
                return
            self._moves.append(board.san(move))
            self._notes.append(None)

    def visit_comment(self, comment: str | list[str]) -> None:
        text = comment if isinstance(comment, str) else " ".join(comment)
        if self._notes and not self._over and (note := read_note(text)):
            self._notes[-1] = note

    def visit_result(self, result: str) -> None:
        self._end = result

    def handle_error(self, error: Exception) -> None:
        number = len(self._moves) + 1
        self._fault = self._fault or f"move {number}: {' '.join(str(error).split()):.200}"

    def result(self) -> SavedGame | ValueError:
        if self._fault:
            return ValueError(self._fault)
        if self._end is None:
            return ValueError("it is cut off: there is no result behind its moves")
        try:
            return self._game()
        except ValueError as error:
            return ValueError(f"a tag is not what it should be: {error}")

    def _game(self) -> SavedGame:
        tags, start = self._headers, self._start
        fen = start.fen(en_passant="legal") if start else chess.STARTING_FEN
        seed = tags.get("Seed", "")
        white, black = (
            Player(tags.get(side, "?").strip() or "?", tags.get(f"{side}Digest", ""))
            for side in ("White", "Black")
        )
        others: dict[str, str | int] = {
            key: int(value) if key[0].islower() and value.isdecimal() else value
            for key, value in tags.items()
            if key not in _KNOWN
        }
        others |= {
            key: value for key in ("Event", "Site", "Round") if (value := tags.get(key, "?")) != "?"
        }
        return SavedGame(
            game=tags.get("Game", "chess"),
            version=int(tags.get("GameVersion", "1")),
            players=(white, black),
            start="" if fen == chess.STARTING_FEN else fen,
            seed=int(seed) if seed.isdecimal() and len(seed) <= 10 else None,
            moves=tuple(self._moves),
            result=_RESULTS.get(tags.get("Result", self._end or "*")),
            termination=tags.get("Termination", ""),
            date=_date(tags),
            notes=tuple(self._notes) if any(self._notes) else (),
            tags=others,
        )


def _ended(board: chess.Board, plies: int) -> bool:
    """Whether the rules of `games/chess.py` have ended a game in which there are moves."""
    return (
        board.halfmove_clock >= 100
        or board.ply() >= plies
        or board.is_insufficient_material()
        or board.is_repetition(3)
    )


def _date(tags: chess.pgn.Headers) -> str:
    day, time = tags.get("UTCDate", ""), tags.get("UTCTime", "")
    if re.fullmatch(r"\d{4}\.\d\d\.\d\d", day) and re.fullmatch(r"\d\d:\d\d:\d\d", time):
        return f"{day.replace('.', '-')}T{time}Z"
    day = tags.get("Date", "").replace(".??", "").replace(".", "-")
    return day if re.fullmatch(r"\d{4}(-\d\d){0,2}", day) else ""
