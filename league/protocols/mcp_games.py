"""Games in progress for a client of the Model Context Protocol, and what it may ask about them.

Everything is bounded: games, simulations, seconds, lengths of texts. Only agents and games that
come with Arena, or with a run, can be named: a client must not have files of its choice executed.
"""

import re
import secrets
import threading
from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np

import agents
import games
from agents import registry
from arena.analysis import Limit
from arena.errors import UserError
from arena.play import host_loop, records
from arena.play.records import jsonl, pgn
from arena.play.session import Session
from arena.types import Agent, HostAgent
from games import Game, text_positions
from league.cli import names, person, recording
from league.evaluation import leaderboard
from league.settings import game_names
from league.store import pretrained

Answer = dict[str, Any]
"""What a tool gives back: whatever JSON can hold, by name."""
Seat = Literal["first", "second"]

GAMES = 32
"""Games in progress at most."""
SIMULATIONS = 10_000
"""Of an agent's search a move, or of an analysis, at most; also the largest number in its name."""
_SECONDS = 30.0
"""Of an analysis, at most."""
_TEXT = 200
"""Letters of a text that a client gives, at most."""
_RUNS = 50
"""Runs, and snapshots of each, that are listed at most; the newest."""
_KINDS = ("uniform", "mcts", "gnugo", "gnubg", "grhino", "stockfish", "openspiel_mcts")


@dataclass
class Table:
    """One game between a client and an agent.

    Attributes:
      session: the game.
      agent: the client's opponent.
      opponent: the same, as it moves in this game.
      mine: the client's seat.
      resigned: whether the client has given up.
    """

    session: Session
    agent: Agent | HostAgent
    opponent: HostAgent
    mine: int
    resigned: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing can be played any more."""
        return self.resigned or self.session.over


class Tables:
    """All games of a client; one thing is done at a time."""

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self._lock = threading.Lock()
        self._count = 0

    def list_games(self) -> Answer:
        """The games that can be played."""
        return {"games": list(games.names())}

    def list_agents(self) -> Answer:
        """Runs with the ratings of their snapshots, and agents that need no run."""
        found = []
        folders = [p for p in names.RUNS.glob("*") if (p / "run.json").is_file()]
        folders.sort(key=lambda p: p.stat().st_mtime, reverse=True)
        for folder in folders[:_RUNS]:
            try:
                found.append(self.ratings(folder.name))
            except UserError as error:
                found.append({"run": folder.name, "fault": str(error)})
        nets = [f"{pretrained.KIND}:{x.removesuffix('.npz')}" for x in pretrained.files()]
        others = ["uniform", "mcts:100", *nets]
        return {"runs": found, "others": others, "with_search": "RUN:ID,simulations=32"}

    def ratings(self, run: str) -> Answer:
        """Elo of a run's snapshots, with half the width of 95 % intervals."""
        where = names.run(_short(run, "the name of a run"))
        with where.results() as results:
            ids, _, fit = leaderboard.fitted(results)
        rows = [
            {"agent": f"{run}:{name}", "elo": round(elo, 1), "half_width": round(half, 1)}
            for name, elo, half in zip(ids, fit.elo.tolist(), fit.half_width.tolist(), strict=True)
        ]
        return {"run": run, "game": where.card["game"], "snapshots": rows[-_RUNS:]}

    def new_game(self, game: str, agent: str, seat: Seat, seed: int | None, start: str) -> Answer:
        """Begins a game; the agent moves at once if it is its turn."""
        rules, opponent = _opponent(game, agent)
        seed = secrets.randbelow(2**32) if seed is None else seed
        begun = text_positions(rules).from_text(_short(start, "a position")) if start else None
        session = Session(rules, seed=seed, start=begun)
        hosted = host_loop.hosted(opponent, jax.random.fold_in(jax.random.key(seed), 0))
        table = Table(session, opponent, hosted, ("first", "second").index(seat))
        with self._lock:
            if len(self._tables) >= GAMES:
                raise UserError(f"{GAMES} games are in progress; end one with end_game")
            self._count += 1
            name = str(self._count)
            self._tables[name] = table
            answered = _answer_moves(table)
        return {"id": name, "agent": opponent.name, **_look(table, answered)}

    def end_game(self, id: str) -> Answer:
        """Forgets a game."""
        table = self._table(id)
        with self._lock:
            self._tables.pop(id, None)
        if isinstance(table.agent, HostAgent):
            table.agent.close()
        return {"ended": id}

    def look(self, id: str) -> Answer:
        """A game, as far as the client's seat may see it."""
        with self._lock:
            return _look(self._table(id))

    def legal_moves(self, id: str) -> Answer:
        """The moves that the client may make."""
        table = self._table(id)
        with self._lock:
            _check_turn(table)
            return {"moves": list(table.session.legal_moves)}

    def play(self, id: str, move: str) -> Answer:
        """Makes a move; the agent answers."""
        table = self._table(id)
        with self._lock:
            _check_turn(table)
            table.session.push(_short(move, "a move"))
            return _look(table, _answer_moves(table))

    def undo(self, id: str) -> Answer:
        """Takes the client's last move back, and what followed it."""
        table = self._table(id)
        with self._lock:
            if table.resigned:
                table.resigned = False
            else:
                person.take_back(table.session, table.mine)
            return _look(table)

    def resign(self, id: str) -> Answer:
        """Gives a game up."""
        table = self._table(id)
        with self._lock:
            if table.over:
                raise UserError("the game is over")
            table.resigned = True
            return _look(table)

    def analyse(self, id: str, simulations: int) -> Answer:
        """What the agent of a game finds out about the position in which the client is to move."""
        if not 0 < simulations <= SIMULATIONS:
            raise UserError(f"simulations must lie between 1 and {SIMULATIONS:,}")
        table = self._table(id)
        if not isinstance(table.agent, Agent):
            raise UserError(f"{table.agent.name} does not analyse")
        with self._lock:
            _check_turn(table)
            analyst = agents.analyst(table.agent)
            limit = Limit(simulations=simulations, time=_SECONDS)
            found = analyst.analyse(table.session.position, limit)
        moves = [
            {
                "move": move.label,
                "prior": round(move.prior, 4),
                "visits": move.visits,
                "q": None if move.q is None else round(move.q, 4),
            }
            for move in found.moves
        ]
        return {
            "value": round(found.value, 4),
            "proven": found.proven,
            "simulations": found.simulations,
            "variation": list(found.labels),
            "moves": moves,
        }

    def record(self, id: str, form: Literal["jsonl", "pgn", "sgf"]) -> Answer:
        """A game as a file has it; one that hides something only when it is over."""
        table = self._table(id)
        game = table.session.game
        if not (game.perfect_information or table.over):
            raise UserError("the game is not over, and its record shows what your seat may not see")
        with self._lock:
            players = [recording.player(table.agent), records.Player("client")]
            kept = records.saved(
                table.session.record,
                game_names.name_of(game),
                players if table.mine else players[::-1],
                result=_resigned(table),
                termination=records.RESIGNED if table.resigned else records.LEFT,
            )
            if form == "sgf":
                from arena.play.records import sgf

                return {"record": sgf.write(kept, game_names.load)}
            return {"record": pgn.write(kept) if form == "pgn" else jsonl.write(kept)}

    def close(self) -> None:
        """Ends the processes of all agents."""
        for table in self._tables.values():
            if isinstance(table.agent, HostAgent):
                table.agent.close()

    def _table(self, id: str) -> Table:
        if id not in self._tables:
            known = ", ".join(self._tables) or "none"
            raise UserError(f"there is no game {id!r:.20}; there are: {known}")
        return self._tables[id]


def _opponent(game: str, agent: str) -> tuple[Game, Agent | HostAgent]:
    """The game and the agent; a network searches unless its name says otherwise."""
    spec = _short(agent, "the name of an agent")
    if game and game.partition(":")[0] not in games.names():
        raise UserError(f"no game is called {game!r:.50}; there are: {', '.join(games.names())}")
    rules = names.game(_short(game, "the name of a game")) if game else None
    kind = spec.partition(":")[0].partition(",")[0]
    if not (kind in _KINDS and registry.exists(kind)) and not names.searches(spec):
        raise UserError(
            f"{spec!r:.50} is no agent: RUN, RUN:ID, {pretrained.KIND}:GAME, {', '.join(_KINDS)}"
        )
    if any(int(number) > SIMULATIONS for number in re.findall(r"\d{1,20}", spec)):
        raise UserError(f"no number in the name of an agent may be above {SIMULATIONS:,}")
    found, made = names.agent(spec, rules)
    if names.searches(spec) and "simulations=" not in spec and found.searchable:
        return names.agent(f"{spec},simulations=32", rules)
    return found, made


def _short(text: str, what: str) -> str:
    if len(text) > _TEXT:
        raise UserError(f"{what} is at most {_TEXT} letters long")
    return text


def _check_turn(table: Table) -> None:
    if table.over:
        raise UserError("the game is over")
    if table.session.seat != table.mine:
        raise UserError("it is not your turn")


def _answer_moves(table: Table) -> list[str]:
    """Lets the agent move until it is the client's turn; its moves."""
    made, session = [], table.session
    while not session.over and session.seat != table.mine:
        move = table.opponent.choose(session.game, session.position)
        host_loop.check_legal(table.opponent, move, session.legal)
        made.append(session.label(move))
        session.push(move)
    return made


def _resigned(table: Table) -> float | None:
    if not table.resigned:
        return None
    return -1.0 if table.mine == 0 else 1.0


def _look(table: Table, answered: list[str] | None = None) -> Answer:
    """What the client's seat may see."""
    session = table.session
    found: Answer = {
        "position": session.view(table.mine),
        "seat": ("first", "second")[table.mine],
        "over": table.over,
    }
    if session.game.perfect_information:
        found["moves"] = list(session.record.labels)
        if answered is not None:
            found["answer"] = answered
    result = _resigned(table) if table.resigned else session.result
    if result is not None:
        own = result if table.mine == 0 else -result
        found["result"] = "draw" if own == 0 else "you win" if own > 0 else "you lose"
        found["payoff"] = float(np.float32(own))
    return found
