"""A server of the Universal Chess Interface, for any agent.

Stefan Meyer-Kahlen's description of April 2006, with the options that programs have added since.
The main thread reads and answers at once what can be answered at once; a second one loads the
agent, compiles, and thinks.
"""

import time
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import TYPE_CHECKING, Any

from arena.errors import UserError
from league.protocols import uci_go, uci_options
from league.protocols.levels import Levels
from league.protocols.streams import Write, warn
from league.protocols.uci_go import Go
from league.protocols.uci_moves import Choice, Dialect
from league.protocols.uci_search import EVERY, Search
from league.protocols.worker import Worker

if TYPE_CHECKING:
    from arena.analysis import Analysis
    from arena.types import Agent, HostAgent
    from games import Game
    from league.protocols.player import Player

_NO_MOVE = "bestmove 0000"


class Server:
    """Answers a client.

    Args:
      spec: the agent, as a user types it.
      choice: what it may play.
      write: writes lines to the client.
      simulations: a move, at most; 0 for no limit.
      levels: the strengths between which a client may choose, if there are any.
      fatal: called with an error after which nothing can be answered.
    """

    def __init__(
        self,
        spec: str,
        choice: Choice,
        *,
        write: Write,
        simulations: int = 0,
        levels: Levels | None = None,
        fatal: Callable[[UserError], None],
    ):
        self._fatal = fatal
        self._spec, self._choice, self._write, self._levels = spec, choice, write, levels
        self.options = uci_options.options(
            variants=tuple(dialect.variant for dialect in choice.dialects),
            simulations=simulations,
            elo=levels.range if levels else None,
        )
        self._debug = False
        self._search: Search | None = None
        self._worker = Worker(self._failed)
        self._found: tuple[str, Game, Agent | HostAgent] | None = None
        self._player: Player | None = None
        self._wanted = ""  # the name by which the player was made
        self._made: list[str] | None = []  # moves of the game in progress; None if it is no game
        self._fen, self._lost = "", False  # whether the client's position could not be set up
        self._where = ["startpos"]  # the client's position

    def serve(self, lines: Iterable[str]) -> None:
        """Answers lines until `quit`, or until there are no more."""
        self._worker.do(self._find)
        for line in lines:
            if not self._answer(line.split()):
                break
        self.close()

    def close(self) -> None:
        """Ends a search, and the processes that the agent has started."""
        if self._search:
            self._search.end()
        self._worker.close()
        if self._player:
            self._player.close()

    def _answer(self, words: list[str]) -> bool:
        """Answers one line; whether to go on. Words before a command are passed over."""
        commands: dict[str, Callable[[list[str]], None]] = {
            "uci": self._uci,
            "debug": self._set_debug,
            "isready": self._ready,
            "setoption": self._set_option,
            "ucinewgame": lambda words: self._worker.do(self._new_game),
            "position": lambda words: self._worker.do(lambda: self._position(words)),
            "go": self._go,
            "stop": self._stop,
            "ponderhit": self._ponderhit,
            "register": lambda words: None,
        }
        for at, word in enumerate(words):
            if word.lower() == "quit":
                return False
            if command := commands.get(word.lower()):
                command(words[at + 1 :])
                return True
        if words and self._debug:
            self._say(f"unknown command: {' '.join(words)}")
        return True

    def _say(self, text: str) -> None:
        self._write(f"info string {' '.join(text.split())}")

    def _failed(self, error: Exception) -> None:
        """What a piece of work has raised."""
        self._say(f"error: {error}")
        warn(str(error))

    # What is answered at once.

    def _uci(self, words: list[str]) -> None:
        name = f"Arena {metadata.version('arena-selfplay')} {self._spec}"
        told = [option.line() for option in self.options.known]
        self._write("\n".join([f"id name {name}", "id author the Arena authors", *told, "uciok"]))

    def _set_debug(self, words: list[str]) -> None:
        self._debug = words[:1] != ["off"]

    def _ready(self, words: list[str]) -> None:
        # During a search the answer comes at once; otherwise when all before it is done.
        if self._search:
            self._write("readyok")
        else:
            self._worker.do(self._load)
            self._worker.do(lambda: self._write("readyok"))

    def _set_option(self, words: list[str]) -> None:
        try:
            option = self.options.set(*uci_options.split(words))
        except ValueError as error:
            self._say(str(error))
            return
        if option.name == "Hash":
            self._worker.do(self._resize)

    def _go(self, words: list[str]) -> None:
        self._stop([])
        search = self._search = Search(uci_go.parse(words))
        self._worker.do(lambda: self._answer_go(search))

    def _stop(self, words: list[str]) -> None:
        if self._search:
            self._search.end()

    def _ponderhit(self, words: list[str]) -> None:
        if self._search:
            self._search.ponderhit()

    # What the other thread does.

    @property
    def _dialect(self) -> Dialect:
        variant = self.options.text("UCI_Variant")
        return next(d for d in self._choice.dialects if d.variant == variant)

    def _spec_now(self) -> str:
        """The agent to play: at limited strength a raw network of the run."""
        if not (self._levels and self.options.on("UCI_LimitStrength")):
            return self._spec
        level = self._levels.nearest(self.options.number("UCI_Elo"))
        run = self._spec.partition(",")[0].partition(":")[0]
        return f"{run}:{level.snapshot},simulations=0"

    def _find(self) -> None:
        """Imports what the player needs, and finds the agent, while the client still introduces
        itself; the process ends if there is none.
        """
        from league.cli import device, names

        device.prepare()
        import league.protocols.player  # noqa: F401

        rules = self._choice.rules(self._dialect)
        try:
            self._found = (self._name(rules), *names.agent(self._spec, names.game(rules)))
        except UserError as error:
            self._fatal(error)

    def _name(self, rules: str) -> str:
        """The player that is wanted: an agent and a game."""
        return f"{self._spec_now()} {rules}"

    def _load(self) -> "Player":
        """The player, made and compiled if that has not been done yet."""
        rules = self._choice.rules(self._dialect)
        wanted = self._name(rules)
        if self._player is None or self._wanted != wanted:
            from league.cli import names
            from league.protocols.player import Player

            began = time.monotonic()
            if self._player:
                self._player.close()
            found = self._found if self._found and self._found[0] == wanted else None
            game, agent = found[1:] if found else (names.game(rules), None)
            megabytes = self.options.number("Hash")
            player = Player(self._spec_now(), game, megabytes=megabytes, agent=agent)
            player.warm_up()
            self._player, self._wanted, self._made, self._fen = player, wanted, [], ""
            self._lost = False
            if self._debug:
                seconds, cpu = time.monotonic() - began, time.process_time()
                self._say(f"compiled in {seconds:.1f} s; {cpu:.1f} s of CPU since the start")
        return self._player

    def _resize(self) -> None:
        if self._player:
            self._player.resize(self.options.number("Hash"))
            self._player.warm_up()

    def _new_game(self) -> None:
        player = self._load()
        player.clear()
        player.begin()
        self._made, self._fen, self._lost, self._where = [], "", False, ["startpos"]

    def _position(self, words: list[str]) -> None:
        """Follows the client's game; the tree is kept where the new position goes on from the old.

        Raises:
          ValueError: there is no such position; no move is given until there is one.
        """
        player, self._lost, self._where = self._load(), True, words
        at = next((n for n, word in enumerate(words) if word.lower() == "moves"), len(words))
        fen = " ".join(words[1:at]) if words[:1] == ["fen"] else ""
        moves = words[at + 1 :]
        made = self._made if fen == self._fen else None
        if made is None or moves[: len(made)] != made:
            self._made = None
            player.begin(self._dialect.start(player.session, fen) if fen else None)
            made = []
        self._fen, self._made = fen, made
        for text in moves[len(made) :]:
            self._follow(player, text)
            made.append(text)
        self._lost = False

    def _follow(self, player: "Player", text: str) -> None:
        """Makes a move of the client's game, also where our rules have ended it."""
        if player.session.over:
            start = self._dialect.goes_on(player.session)
            if start is None:
                raise ValueError(f"the game is over before {text}")
            player.begin(start)
        player.push(self._dialect.read(player.session, text))

    def _answer_go(self, search: Search) -> None:
        """Gives a move, or says that there is none; a client is never left waiting."""
        line = _NO_MOVE
        try:
            before, player = self._player, self._load()
            if before is not player and before is not None:
                self._position(self._where)  # an option has put another player in its place
            if not self._lost:
                over = player.session.over and not self._go_on(player)
                line = self._any_move(player) if over else self._think(search, player)
        finally:
            search.end()
            if self._search is search:
                self._search = None
            self._write(line)

    def _any_move(self, player: "Player") -> str:
        """A move where the game is over by all rules of ours, if there is one."""
        found = next((text for _, text in self._dialect.legal(player.session)), None)
        if found is None:
            return _NO_MOVE
        self._write(f"info depth 1 score cp 0 nodes 0 time 0 pv {found}")
        return f"bestmove {found}"

    def _think(self, search: Search, player: "Player") -> str:
        """Searches, and gives the best move."""
        from arena.analysis import Limit

        go, session = search.go, player.session
        overhead = self.options.number("Move Overhead") / 1000
        search.set_seconds(go.seconds(session.seat, overhead))
        seconds = None if go.ponder or go.infinite else search.seconds
        if seconds is not None:
            seconds = max(0.001, seconds - (time.monotonic() - search.asked))
        analysis = player.think(
            Limit(simulations=self._simulations(go), time=seconds),
            stop=search.stop,
            callback=lambda analysis: self._report(search, analysis),
            every=EVERY,
            among=self._among(go, session),
        )
        search.released.wait()
        self._tell(analysis, final=True)
        return self._best(analysis)

    def _go_on(self, player: "Player") -> bool:
        """Whether a move can be made although our rules have ended the game."""
        start = self._dialect.goes_on(player.session)
        if start is None:
            return False
        player.begin(start)
        self._made = None
        return not player.session.over

    def _simulations(self, go: Go) -> int | None:
        """The most simulations of a search."""
        asked = go.numbers.get("nodes")
        most = self.options.number("Simulations")
        found = [] if go.infinite or not most else [most]
        return min([*found, *([max(1, asked)] if asked is not None else [])], default=None)

    def _among(self, go: Go, session: Any) -> list[int] | None:
        """The moves to choose from; those that are not legal are left out."""
        if not go.searchmoves:
            return None
        legal = {text: move for move, text in self._dialect.legal(session)}
        return [legal[text] for text in go.searchmoves if text in legal] or None

    def _report(self, search: Search, analysis: "Analysis") -> None:
        """Tells of a search under way, and ends it where more of it would change nothing."""
        self._tell(analysis, final=False)
        if search.settled(analysis):
            search.stop.set()

    def _tell(self, analysis: "Analysis", *, final: bool) -> None:
        from league.protocols import uci_info

        assert self._player
        session, dialect = self._player.session, self._dialect

        def write(moves) -> list[str]:
            return dialect.line(session, moves)

        stats = self.options.on("VerboseMoveStats")
        found = (
            []
            if not (stats and (final or self.options.on("LogLiveStats")))
            else [*uci_info.move_stats(analysis, write)]
        )
        found += uci_info.lines(
            analysis,
            write,
            count=self.options.number("MultiPV"),
            show_wdl=self.options.on("UCI_ShowWDL"),
        )
        self._write("\n".join(found))

    def _best(self, analysis: "Analysis") -> str:
        assert self._player
        moves = self._dialect.line(self._player.session, analysis.variation[:2])
        return f"bestmove {moves[0]}" + (f" ponder {moves[1]}" if moves[1:] else "")


def default_simulations(spec: str) -> int:
    """Simulations a move, at most, that an agent's name gives; 0 if it gives none.

    Raises:
      UserError: what it gives is no number.
    """
    text = next((p[12:] for p in spec.split(",") if p.startswith("simulations=")), "0")
    if spec.startswith("mcts:"):
        text = spec.partition(":")[2]
    if not text.isdecimal():
        raise UserError(f"{spec!r:.99}: {text!r:.50} is no number of simulations")
    return int(text)
