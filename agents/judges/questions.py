"""Which question to ask a person next: the one that teaches most.

Of some positions that random play reaches, or pairs of them, it is the one on which the members of
the ensemble disagree most: what they all say already teaches nothing. One question in five is drawn
without choice, and the model that chooses never learns the verdict on it: they say how well the
model foretells people. Whatever shows questions to people, a terminal or a page, calls
`next_question` and `answer`.
"""

import math
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import jax
import numpy as np

from agents.judges import preference
from agents.judges.human import HumanJudge
from agents.judges.verdicts import HumanVerdict, Question, replay
from arena.chance import generators
from arena.errors import UserError
from arena.play.openings import recorded_openings
from arena.play.sessions import Sessions, starts
from arena.types import Params, Positions, State
from games import CHANCE, OVER, Game

Kind = Literal["seats", "positions", "games"]
"""What is compared: the seats in a position, or the first seat's lot in two positions or games."""

_CANDIDATES = 256
"""Positions or games that random play brings, to choose a question from."""
_FIRST = 16
"""Questions that are drawn before there is a model to choose by."""
_EVERY = 40
"""Verdicts after which the model is learnt anew."""
_LAST = 16
"""Questions that are chosen from the same candidates."""
_TEST = 5
"""Every so many-th question is drawn from those whose verdicts are held out."""


@dataclass(frozen=True)
class Agreement:
    """How well the model foretells verdicts that it has not learnt.

    Attributes:
      learnt: verdicts that it has learnt.
      decided: held-out ones that prefer one side.
      right: in how many of them it prefers the same.
    """

    learnt: int
    decided: int
    right: int


@dataclass
class Questionnaire:
    """Asks people about one game, by what is in a file and what they add to it.

    Attributes:
      judge: with the file.
      seed: of the positions that are asked about.
      agreement: of the model that chooses questions; None as long as there is none.
    """

    judge: HumanJudge
    seed: int = 0
    agreement: Agreement | None = field(default=None, init=False)
    _verdicts: list[HumanVerdict] = field(init=False)
    _read: int = field(default=-1, init=False)
    _params: Params | None = field(default=None, init=False)
    _learnt: int = field(default=0, init=False)
    _kept: tuple[tuple[Kind, int], "_Candidates"] | None = field(default=None, init=False)

    def __post_init__(self):
        self.refresh()

    @property
    def game(self) -> Game:
        """What is asked about."""
        return self.judge.file.game

    @property
    def verdicts(self) -> tuple[HumanVerdict, ...]:
        """Those in the file, as it was read last."""
        return tuple(self._verdicts)

    @property
    def count(self) -> int:
        """Verdicts in the file."""
        return len(self._verdicts)

    def refresh(self) -> None:
        """Reads the file, to which others may have added, if it has changed."""
        size = self.judge.file.size()
        if size != self._read:
            self._verdicts, self._read = self.judge.file.read(), size

    def next_question(self, kind: Kind = "seats", *, taken: Collection[Question] = ()) -> Question:
        """The question that teaches most, of some that were not asked before.

        Args:
          kind: what is compared.
          taken: questions that are not to be asked: someone has them already, or did not like them.
        """
        self.refresh()
        asked = {one.question for one in self._verdicts} | set(taken)
        found = self._candidates(kind, (self.count + len(taken)) // _LAST)
        every = [n for n, one in enumerate(found.questions) if one.moves != one.other] or [0]
        new = [n for n in every if found.questions[n] not in asked]
        new = new or [n for n in every if found.questions[n] not in taken] or every
        testing = self.count % _TEST == _TEST - 1
        part = [n for n in new if found.questions[n].held_out == testing] or new
        if testing or self._params is None:
            return found.questions[part[0]]
        said = self.judge.opinions(self._params, found.states, found.others)
        # The chance that a member gives, whose spread is largest where they contradict each other.
        doubt = ((1 + said) / 2).std(0)[part]
        return found.questions[part[int(doubt.argmax())]]

    def answer(self, question: Question, verdict: int, *, who: str, seconds: float) -> None:
        """Keeps what a person has said: 1 if seat 0 stands better, -1 if seat 1 does, 0 if none.

        Of two positions: 1 if seat 0 stands better in the first, -1 if in the second. What is in
        the file already, by the same person on the same question and to the same millisecond, has
        been sent twice, and is kept once.
        """
        found = HumanVerdict(question, verdict, who, time.time(), seconds)
        self.refresh()
        if any(_same(found, one) for one in self._verdicts):
            return
        self.judge.file.add(found)
        self.refresh()

    @property
    def due(self) -> bool:
        """Whether there is enough that the model has not learnt."""
        fresh = self.count - self._learnt
        return self.count >= _FIRST and fresh >= min(_EVERY, max(1, self._learnt))

    def learn(self) -> None:
        """Learns the model anew, if it is due."""
        if self.due:
            for _ in self.learning():
                pass

    def learning(self) -> Iterator[None]:
        """Learns the model anew, in pieces; until the last one questions go by the old one."""
        verdicts = self.verdicts
        known = [one for one in verdicts if not one.question.held_out]
        test = [one for one in verdicts if one.question.held_out and one.verdict]
        if not known:
            return
        members = []
        for member in self.judge.fitting(known):
            members.append(member)
            yield
        self._params, self._learnt = preference.stacked(members), len(verdicts)
        alone = [one for one in test if one.question.other is None]
        pairs = [one for one in test if one.question.other is not None]
        right = self._right(alone) + self._right(pairs)
        self.agreement = Agreement(len(known), len(test), right)

    def _right(self, test: list[HumanVerdict]) -> int:
        """How many verdicts the model foretells, all on a position or all on two."""
        if not test:
            return 0
        game = self.game
        states = replay(game, [one.question.moves for one in test])
        others = [one.question.other for one in test if one.question.other is not None]
        second = replay(game, others) if others else None
        said = self.judge.opinions(self._params, states, second).mean(0)
        return int((np.sign(said) == [one.verdict for one in test]).sum())

    def _candidates(self, kind: Kind, number: int) -> "_Candidates":
        """Questions to choose from, kept until those of another number are asked for."""
        if kind not in get_args(Kind):
            raise UserError(f"what is compared is {', '.join(get_args(Kind))}, not {kind!r:.40}")
        if self._kept is None or self._kept[0] != (kind, number):
            key = jax.random.fold_in(jax.random.key(self.seed), number)
            found = _positions(self.game, key, finished=kind == "games")
            self._kept = (kind, number), _Candidates.of(found, pairs=kind != "seats")
        return self._kept[1]


class _Candidates(NamedTuple):
    """N questions, with their positions [N, ...], and the second ones of pairs."""

    questions: list[Question]
    states: State
    others: State | None

    @classmethod
    def of(cls, found: Positions, *, pairs: bool) -> "_Candidates":
        """The questions that positions make: each by itself, or by twos."""
        moves = [tuple(one) for one in found.moves]
        if not pairs:
            return cls([Question(one) for one in moves], found.states, None)
        first, second = (jax.tree.map(lambda x, s=s: x[s::2], found.states) for s in (0, 1))
        questions = [Question(*two) for two in zip(moves[::2], moves[1::2], strict=True)]
        return cls(questions, first, second)


def _positions(game: Game, key: jax.Array, *, finished: bool) -> Positions:
    """Positions that random play reaches, or how random games end."""
    if finished:
        return _random_games(game, key, _CANDIDATES)
    plies = max(1, min(game.typical_plies, game.max_plies - 1))
    return recorded_openings(game, key, count=_CANDIDATES, plies=plies, room=_CANDIDATES)


def _same(one: HumanVerdict, other: HumanVerdict) -> bool:
    given = (
        (verdict.question, verdict.verdict, verdict.who, math.floor(1000 * verdict.seconds))
        for verdict in (one, other)
    )
    return next(given) == next(given)


def _random_games(game: Game, key: jax.Array, count: int) -> Positions:
    """How random games end, with all their moves."""
    chance = generators(key, count)
    games = Sessions(game, starts(game, count), generators=chance, room=count)
    while True:
        mover = games.view.mover
        rolled = np.flatnonzero(mover == CHANCE).tolist()
        moved = np.flatnonzero((mover != CHANCE) & (mover != OVER)).tolist()
        if not rolled + moved:
            return games.positions
        moves = [int(chance[n].choice(np.flatnonzero(games.view.legal[n]))) for n in moved]
        games.step(rolled + moved, [games.draw(n) for n in rolled] + moves)
