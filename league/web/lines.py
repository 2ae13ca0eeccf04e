"""Games as their addresses tell them: sessions, kept by position so that none is played anew.

What is kept changes nothing but time: any position can be made again from its address.
"""

import copy
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import games
from arena.errors import UserError
from arena.play.session import Session
from arena.types import State
from games import Game, text_positions
from league.settings import game_names
from league.web import names, tokens
from league.web.query import Query
from league.web.site import Settings

MOST_LINES = 2000
"""Positions that are kept; others are made again from their addresses."""
_MOST_GAMES = 64
_MOST_ACTIONS = 20_000


@dataclass(frozen=True)
class Made:
    """A move that was made.

    Attributes:
      seat: whose.
      move: its number.
      label: as players write it.
      cells: of the board, as `Game.clicks` has them; the cells alone.
    """

    seat: int
    move: int
    label: str
    cells: tuple[str, ...]


@dataclass(eq=False)
class Line:
    """A game so far.

    Attributes:
      name: of the game.
      session: where it stands.
      seed: of chance and of agents.
      made: the moves of the seats.
    """

    name: str
    session: Session
    seed: int
    made: list[Made] = field(default_factory=list)

    @property
    def game(self) -> Game:
        """What is played."""
        return self.session.game

    def push(self, move: int) -> None:
        """Makes a move of the seat to move; raises ValueError if it is not legal."""
        session = self.session
        if session.over:
            raise UserError("the game is over")
        if not (0 <= move < self.game.num_actions and session.legal[move]):
            raise UserError(f"move {move} is not legal")
        cells = tuple(x for x in session.clicks(move) if not x.startswith("="))
        made = Made(session.seat, move, session.label(move), cells)
        session.push(move)
        self.made.append(made)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The moves of the seats."""
        return tuple(made.move for made in self.made)

    @property
    def chances(self) -> int:
        """How often chance has moved."""
        return len(self.session.moves) - len(self.made)

    @cached_property
    def hidden(self) -> bool:
        """Whether a seat sees less than all."""
        return not self.game.perfect_information

    def written(self, made: Made) -> str:
        """A move as an address has it: by number where its label would not do."""
        label = made.label
        odd = "," in label or label.startswith("#") or label != label.strip()
        return f"#{made.move}" if odd or self.hidden else label

    def copy(self) -> "Line":
        """The same, to be played on apart from this one."""
        return Line(self.name, copy.deepcopy(self.session), self.seed, list(self.made))


class Lines:
    """All games that visitors play, the latest kept.

    Args:
      settings: of the server.
      secret: the server's.
      run_games: gives the names of the games of runs, which may be envs.
    """

    def __init__(self, settings: Settings, secret: bytes, run_games: Callable[[], tuple[str, ...]]):
        self._settings, self._secret, self._run_games = settings, secret, run_games
        self._games: dict[str, Game] = {}
        self._kept: OrderedDict[tuple[Any, ...], Line] = OrderedDict()

    def __len__(self) -> int:
        """How many positions are kept."""
        return len(self._kept)

    def game(self, name: str) -> Game:
        """A game by name.

        Raises:
          UserError: there is none, or it is too large for a page.
        """
        if name not in self._games:
            allowed = *self._settings.games, *self._run_games()
            names.check_game(name, allowed, games.names())
            if ":" in name and len(self._games) >= _MOST_GAMES:
                raise UserError(f"{_MOST_GAMES} games are open here already; take one of them")
            try:
                game = game_names.load(name)
            except ValueError as error:
                raise UserError(str(error)) from None
            if game.num_actions > _MOST_ACTIONS:
                raise UserError(f"{name} has too many moves for a page")
            self._games[name] = game
        return self._games[name]

    def begin(self, query: Query) -> Query:
        """The address of a new game: that of another one with a deal of its own."""
        game = self.game(query.game)
        query = query.change(deal="", resigned=False)
        if not game.perfect_information:
            seed = tokens.fresh_seed()
            deal = tokens.seal(self._secret, query.game, query.seat, seed=seed, moves=())
            return query.change(deal=deal, moves=(), seed=0)
        if game.num_outcomes or not game.on_device:
            return query.change(deal=tokens.fresh_deal(), seed=0)
        return query

    def open(self, query: Query) -> Line:
        """The game that an address tells; who gets it may play it on.

        Raises:
          UserError: a move in it is not legal, or its start no position.
        """
        game = self.game(query.game)
        if not game.perfect_information:
            seed, moves = tokens.unseal(self._secret, query.game, query.seat, query.deal)
            return self._played(query, seed, moves)
        seed = query.seed
        if game.num_outcomes or not game.on_device:
            seed = tokens.seed_of(self._secret, query.game, query.deal)
        return self._played(query, seed, query.moves)

    def address(self, query: Query, line: Line) -> Query:
        """The address of a game that was played on; `query` is that of an earlier position."""
        if line.hidden:
            moves = line.numbers
            deal = tokens.seal(self._secret, query.game, query.seat, seed=line.seed, moves=moves)
            return query.change(deal=deal, moves=())
        return query.change(moves=tuple(line.written(made) for made in line.made))

    def keep(self, query: Query, line: Line) -> None:
        """Keeps a game that is not played on here."""
        if line.game.on_device:
            texts = tuple(line.written(made) for made in line.made)
            key = line.name, query.start, query.outcomes, line.seed, texts
            self._kept[key] = line
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_LINES:
                self._kept.popitem(last=False)

    def _played(self, query: Query, seed: int, moves: tuple[Any, ...]) -> Line:
        """The game after these moves, numbers or labels."""
        head = query.game, query.start, query.outcomes, seed
        texts = tuple(f"#{move}" if isinstance(move, int) else move for move in moves)
        count = len(moves)
        while count and (*head, texts[:count]) not in self._kept:
            count -= 1
        kept = self._kept.get((*head, texts[:count]))
        line = kept.copy() if kept else self._new(query, seed)
        for text in texts[count if kept else 0 :]:
            try:
                if line.session.over:
                    raise UserError("the game is over")
                numbered = text.startswith("#") and text[1:].isdecimal() and len(text) < 9
                line.push(int(text[1:]) if numbered else line.session.parse(text))
            except ValueError as error:
                raise UserError(f"move {len(line.made) + 1}, {text!r:.30}: {error}") from None
        if len(texts) > count:
            self.keep(query, line.copy() if line.game.on_device else line)
        return line

    def _new(self, query: Query, seed: int) -> Line:
        game = self.game(query.game)
        start = self._start(game, query)
        try:
            session = Session(game, seed=seed, start=start, outcomes=query.outcomes)
        except ValueError as error:
            raise UserError(str(error)) from None
        return Line(query.game, session, seed)

    def _start(self, game: Game, query: Query) -> State | None:
        if not query.start:
            return None
        try:
            return text_positions(game).from_text(query.start)
        except ValueError as error:
            raise UserError(str(error)) from None
