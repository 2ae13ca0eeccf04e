"""The commands of the GTP server: the game, its board and its clocks. See `gtp_thinking` for moves.

Nothing here imports JAX before a command needs the agent.
"""

import inspect
import math
import threading
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

from arena.errors import UserError
from league.protocols import gtp_boards
from league.protocols.gtp_boards import COLOURS, LETTERS, Board
from league.protocols.gtp_clock import Clocks
from league.protocols.streams import warn

if TYPE_CHECKING:
    from arena.types import Agent, HostAgent
    from games import Game
    from league.protocols.gtp_game import Line
    from league.protocols.player import Player

Answer = Callable[..., str]


class CommandError(ValueError):
    """What the client asks for cannot be done; the message is one line."""


class BoardCommands:
    """What can be done without a search.

    Methods whose names begin with `_do_` are commands: `_do_known_command` answers `known_command`,
    and `_do_gogui__setup` answers `gogui-setup`.

    Args:
      spec: the agent, as a user types it.
      game: the name of the game.
      fatal: called with an error after which nothing can be answered.
    """

    def __init__(self, spec: str, game: str, *, fatal: Callable[[UserError], None]):
        self.spec, self.clocks = spec, Clocks()
        self.board: Board = gtp_boards.board(game)
        self._game_name, self._fatal = game, fatal
        self._agent: Agent | HostAgent | None = None
        self._trained: Game | None = None  # the rules that the agent is made for
        self._rules: Game | None = None
        self._player: Player | None = None
        self._line: Line | None = None
        self._komi = 0.0
        self._loader = threading.Thread(target=self._find, daemon=True)
        self._commands = self._collect()

    def _collect(self) -> dict[str, Answer]:
        """All commands by name; those of GoGui's rules are for games other than go."""
        found: dict[str, Answer] = {}
        for name in dir(type(self)):  # the names only: properties would be computed
            if name.startswith("_do_"):
                found[name[4:].replace("__", "-")] = getattr(self, name)
        go = self.board.game == "go"
        for name in list(found):
            if (go and name.startswith("gogui-rules")) or (not go and name in _OF_GO):
                del found[name]
        return found

    # Loading.

    def prepare(self) -> None:
        """Begins to load the agent, so that it is there when it is needed."""
        self._loader.start()

    def _find(self) -> None:
        from league.cli import device, names

        device.prepare()
        from league.protocols import gtp_game  # noqa: F401

        try:
            self._trained, self._agent = names.agent(self.spec, names.game(self._game_name))
        except UserError as error:
            self._fatal(error)
            return
        self._rules = self._trained
        self._komi = float(getattr(self._trained, "komi", 0.0))

    @property
    def rules(self) -> Any:
        """The game that is played."""
        self._loader.join()
        assert self._rules is not None
        return self._rules

    @property
    def player(self) -> "Player":
        """The player, made for the rules of today."""
        rules = self.rules
        if self._player is None:
            from league.protocols.gtp_game import Line
            from league.protocols.player import Player

            agent = self._on(rules)
            self._player = Player(self.spec, rules, megabytes=_MEGABYTES, agent=agent)
            self._player.warm_up()
            before, self._line = self._line, Line(self._player, self.board)
            if before is not None:
                self._line.follow(before)
        return self._player

    @property
    def line(self) -> "Line":
        """The game in progress."""
        _ = self.player
        assert self._line is not None
        return self._line

    def _on(self, rules: "Game") -> Any:
        """The agent on these rules; raises CommandError if it cannot play by them."""
        from league.cli import names
        from league.protocols import gtp_game

        assert self._agent is not None
        if rules == self._trained:
            return self._agent
        if not names.searches(self.spec):
            return names.agent(self.spec, rules)[1]
        found = gtp_game.on_other_rules(self._agent, rules)
        if found is None:
            raise CommandError(f"{self.spec} cannot play on this board")
        return found

    def _change(self, rules: "Game", what: str) -> None:
        """Plays by other rules from now on, and says what that means for a network."""
        from league.cli import names

        if rules == self._rules:
            return
        self._on(rules)
        if names.searches(self.spec) and rules != self._trained:
            warn(f"{self.spec} was not trained with {what}; its moves and values are less good")
        self._rules, self._player = rules, None

    def close(self) -> None:
        """Ends the processes that the agent has started."""
        if self._player:
            self._player.close()

    def report(self, error: Exception) -> None:
        """Tells of an error on stderr."""
        warn(str(error))

    def answer(self, name: str, arguments: Sequence[str], *context: Any) -> str:
        """The answer to a command, without its head.

        Raises:
          CommandError: the command is not known, or fails; in one line.
        """
        if name not in self._commands:
            raise CommandError("unknown command")
        method = self._commands[name]
        extra = context if getattr(method, "streams", False) else ()
        try:
            inspect.signature(method).bind(*extra, *arguments)
        except TypeError:
            raise CommandError("syntax error") from None
        try:
            return method(*extra, *arguments) or ""
        except CommandError:
            raise
        except ValueError as error:
            raise CommandError(str(error)) from None

    # Administration.

    def _do_protocol_version(self) -> str:
        return "2"

    def _do_name(self) -> str:
        return f"Arena {self.spec}"

    def _do_version(self) -> str:
        return metadata.version("arena-selfplay")

    def _do_known_command(self, name: str = "") -> str:
        return "true" if name in (*self._commands, "quit") else "false"

    def _do_list_commands(self) -> str:
        return "\n".join(sorted([*self._commands, "quit"]))

    # The board.

    def _do_boardsize(self, size: str) -> str:
        if not size.isdecimal():
            raise CommandError("boardsize not an integer")
        rules = self.rules
        try:
            wanted = self.board.resized(rules, int(size[:4]))
        except ValueError as error:
            raise CommandError(str(error)) from None
        try:
            self._change(wanted, f"a board of {size}×{size}")
        except CommandError:
            raise CommandError("unacceptable size") from None
        return self._do_clear_board()

    def _do_rectangular_boardsize(self, width: str, height: str) -> str:
        if width != height:
            raise CommandError("unacceptable size")
        return self._do_boardsize(width)

    def _do_clear_board(self) -> str:
        self.clocks.reset()
        if self._player is None:
            self._line = None
        else:
            self._player.clear()
            self.line.restart()
        return ""

    def _do_komi(self, komi: str) -> str:
        value = _number(komi, "komi not a float")
        rules = self.rules
        if self.board.game == "go":
            import dataclasses

            self._change(dataclasses.replace(rules, komi=value), f"a komi of {value:g}")
        self._komi = value
        return ""

    def _do_get_komi(self) -> str:
        _ = self.rules
        return f"{self._komi:g}"

    def _do_play(self, colour: str, vertex: str) -> str:
        self.line.play(gtp_boards.colour(colour), vertex)
        return ""

    def _do_play_sequence(self, *moves: str) -> str:
        return self._do_gogui__play_sequence(*moves)

    def _do_gogui__play_sequence(self, *moves: str) -> str:
        if len(moves) % 2:
            raise CommandError("syntax error")
        made = 0
        try:
            for colour, vertex in zip(moves[::2], moves[1::2], strict=True):
                self._do_play(colour, vertex)
                made += 1
        except ValueError:
            for _ in range(made):
                self.line.undo()
            raise
        return ""

    def _do_undo(self) -> str:
        self.line.undo()
        return ""

    def _do_gg__undo(self, count: str = "1") -> str:
        if not count.isdecimal() or int(count[:6]) > self.line.moves:
            raise CommandError("cannot undo")
        for _ in range(int(count[:6])):
            self.line.undo()
        return ""

    def _do_gogui__setup(self, *stones: str) -> str:
        if len(stones) % 2:
            raise CommandError("syntax error")
        sides: tuple[list[str], list[str]] = [], []
        for colour, vertex in zip(stones[::2], stones[1::2], strict=True):
            sides[gtp_boards.colour(colour)].append(vertex)
        self.line.place(*sides)
        return ""

    def _do_gogui__setup_player(self, colour: str) -> str:
        self.line.turn_to(gtp_boards.colour(colour))
        return ""

    def _do_loadsgf(self, path: str, before: str = "") -> str:
        from league.protocols import gtp_files

        if before and not before.isdecimal():
            raise CommandError("syntax error")
        found = gtp_files.load(path, self.board, int(before[:6]) if before else None)
        rules: Any = found.rules
        self._change(rules, f"the rules of {path}")
        self._komi = float(getattr(rules, "komi", 0.0))
        line = self.line
        if found.black or found.white:
            line.place(found.black, found.white)
        else:
            line.restart()
        for seat, vertex in found.moves:
            line.play(seat, vertex)
        return ""

    # Handicap.

    def _do_fixed_handicap(self, count: str) -> str:
        return self._handicap(count)

    def _do_place_free_handicap(self, count: str) -> str:
        return self._handicap(count)

    def _do_set_free_handicap(self, *vertices: str) -> str:
        if len(vertices) < 2:
            raise CommandError("bad vertex list")
        if self.line.moves or self.line.session.moves:
            raise CommandError("board not empty")
        try:
            self.line.place(vertices, ())
        except ValueError as error:
            raise CommandError(f"bad vertex list: {error}") from None
        return ""

    def _handicap(self, count: str) -> str:
        if not count.isdecimal():
            raise CommandError("handicap not an integer")
        if self.line.session.moves:
            raise CommandError("board not empty")
        size = self.board.size(self.rules)
        number = int(count[:4])
        vertices = gtp_boards.handicap(size, number)
        self.line.place(vertices, ())
        return " ".join(vertices)

    # Time.

    def _do_time_settings(self, main: str, over: str, stones: str) -> str:
        bad, _ = "syntax error", self.player  # compiled before a clock runs
        self.clocks.set(_number(main, bad), _number(over, bad), int(_number(stones, bad)))
        return ""

    def _do_kgs__time_settings(self, kind: str, *numbers: str) -> str:
        values = [_number(text, "syntax error") for text in numbers]
        if kind == "none":
            self.clocks.unlimited()
        elif kind == "absolute" and len(values) == 1:
            self.clocks.set(values[0], 0.0, 0)
        elif kind == "canadian" and len(values) == 3:
            self.clocks.set(values[0], values[1], int(values[2]))
        elif kind == "byoyomi" and len(values) == 3:
            self.clocks.set_byoyomi(values[0], values[1], int(values[2]))
        else:
            raise CommandError("syntax error")
        return ""

    def _do_time_left(self, colour: str, seconds: str, stones: str) -> str:
        seat = gtp_boards.colour(colour)
        self.clocks.tell(
            seat, _number(seconds, "syntax error"), int(_number(stones, "syntax error"))
        )
        return ""

    # What the board says.

    def _do_showboard(self) -> str:
        session = self.line.session
        return "\n" + session.game.show(session.state)

    def _do_final_score(self) -> str:
        line = self.line
        if self.board.game == "go":
            return _result(float(line.area().sum()) - self._komi)
        if self.board.game == "othello" and line.session.over:
            points = [mark for row in self.board.points(line.session) for mark in row]
            return _result(points.count("X") - points.count("O"))
        if line.session.result is None:
            raise CommandError("cannot score: the game is not over")
        return _result(line.session.result)

    def _do_final_status_list(self, status: str) -> str:
        if status not in ("alive", "dead", "seki", "black_territory", "white_territory"):
            raise CommandError("invalid status")
        marks = self.board.points(self.line.session)
        if status == "alive":
            return self._vertices(lambda row, column: marks[row][column] != ".")
        if status in ("dead", "seki"):
            return ""
        area, wanted = self.line.area()[::-1], 1 if status.startswith("black") else -1
        return self._vertices(
            lambda row, column: marks[row][column] == "." and area[row][column] == wanted
        )

    def _vertices(self, wanted: Callable[[int, int], bool]) -> str:
        """The points, rows counted from the top, that are wanted."""
        size = self.board.size(self.rules)
        return " ".join(
            f"{LETTERS[column]}{size - row}"
            for row in range(size)
            for column in range(size)
            if wanted(row, column)
        )

    def _do_gogui__rules_game_id(self) -> str:
        return self.board.title

    def _do_gogui__rules_board(self) -> str:
        return "\n".join(" ".join(row) for row in self.board.points(self.line.session))

    def _do_gogui__rules_board_size(self) -> str:
        return f"{self.board.size(self.rules)} {self.board.geometry}"

    def _do_gogui__rules_legal_moves(self) -> str:
        session = self.line.session
        return " ".join(self.board.vertex(session.game, label) for label in session.legal_moves)

    def _do_gogui__rules_side_to_move(self) -> str:
        session = self.line.session
        return COLOURS[len(session.moves) % 2 if session.over else session.seat]

    def _do_gogui__rules_final_result(self) -> str:
        result = self.line.session.result
        if result is None:
            return "The game is not over"
        winner = "Black wins" if result > 0 else "White wins" if result < 0 else "Draw"
        return f"{winner} ({self._do_final_score()})" if result else winner


_OF_GO = (
    "fixed_handicap",
    "place_free_handicap",
    "set_free_handicap",
    "gogui-setup",
    "gogui-setup_player",
    "final_status_list",
)
"""Commands that no other game has."""
_MEGABYTES = 64
"""What a tree may take."""


def _number(text: str, otherwise: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise CommandError(otherwise) from None
    if not math.isfinite(value):
        raise CommandError(otherwise)
    return value


def _result(margin: float) -> str:
    """`B+3.5`, `W+1`, or `0` for a draw."""
    return "0" if not margin else f"{'B' if margin > 0 else 'W'}+{abs(margin):g}"
