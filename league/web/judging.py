"""Questions to people: who has which one, what was answered, and the model that chooses them.

A question that one window has is put to no other. What is answered is in the file before the window
is told so, and an answer that is sent once more, because the server was gone before it could tell,
is kept once.
"""

import re
import secrets
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, cast, get_args

from agents.judges.human import HumanJudge
from agents.judges.questions import Kind, Questionnaire
from agents.judges.verdicts import Question, VerdictFile, position
from arena.errors import UserError
from games import OVER, Game
from league.web import query, service
from league.web.site import Settings, Site
from league.web.work import Busy, Job

MOST_VERDICTS = 100_000
"""In a file to which pages may add."""
_MOST_FILES = 200
_MOST_DESKS = 32
_LEASE = 900.0
"""Seconds after which a question that was not answered may be put to another window."""
_MOST_GIVEN = 1000
_MOST_MOVES = 5000
_START = "-"
_FILE = re.compile(r"[\w-][\w.=-]{0,59}")
_ANSWERS = {"left": 1, "right": -1, "equal": 0}
_PROMPTS = {
    "seats": ("Who stands better?", "First", "Second"),
    "positions": ("Where does the first player stand better?", "Left", "Right"),
    "games": ("In which game has the first player played better?", "Left", "Right"),
}


class Picture(TypedDict):
    """A position of a question: its picture, cells of the last move, and what is said below it."""

    board: str
    last: list[str]
    note: str


class View(TypedDict):
    """A question as a page gets it, and how things stand.

    `moves` and `other`, "-" being the start, are sent back with the answer; `count` are the
    verdicts in the file, `mine` those of this person; `held_out` says how well the model foretells
    verdicts.
    """

    token: str
    moves: str
    other: str
    prompt: str
    left: str
    right: str
    pictures: list[Picture]
    plies: list[int]
    count: int
    mine: int
    held_out: dict[str, int] | None


@dataclass
class Given:
    """A question that a window has, of a kind, since a moment."""

    question: Question
    kind: Kind
    since: float


@dataclass
class Desk:
    """Where the questions on one game are given out, by one file.

    Attributes:
      asking: chooses them.
      given: those that windows have, by token, the oldest first.
      skipped: those that people had no answer to.
      learning: whether the model is being learnt anew.
    """

    asking: Questionnaire
    given: OrderedDict[str, Given] = field(default_factory=OrderedDict)
    skipped: set[Question] = field(default_factory=set)
    learning: bool = False

    @property
    def game(self) -> Game:
        """What is asked about."""
        return self.asking.game

    def give(self, kind: Kind) -> str:
        """The token of a question that no other window has."""
        now = time.monotonic()
        taken = {one.question for one in self.given.values() if now - one.since < _LEASE}
        question = self.asking.next_question(kind, taken=taken | self.skipped)
        token = secrets.token_urlsafe(9)
        self.given[token] = Given(question, kind, now)
        while len(self.given) > _MOST_GIVEN:
            self.given.popitem(last=False)
        return token

    def learn(self) -> Job[None]:
        """A job: the model is learnt anew."""
        try:
            yield from self.asking.learning()
        finally:
            self.learning = False


class Desks:
    """The desks of a server, by game and file.

    Args:
      settings: of the server.
    """

    def __init__(self, settings: Settings):
        self.folder = settings.verdicts
        self._desks: OrderedDict[tuple[str, str], Desk] = OrderedDict()
        self._seed = secrets.randbelow(2**31)  # a terminal, too, may add to a file

    def path(self, name: str) -> Path:
        """The file of a name; raises UserError if that is none."""
        if not _FILE.fullmatch(name) or name.endswith("."):
            raise UserError(f"a file of verdicts is called by letters and digits, not {name!r:.60}")
        return self.folder / f"{name}.jsonl"

    def desk(self, site: Site, asked: dict[str, str]) -> Desk:
        """The desk of an address: `game`, and `file`, its game's by default.

        Raises:
          UserError: there is no such game, people are not asked about it, or the file is another's.
        """
        name = query.read({"game": asked.get("game", "")}).game
        file = asked.get("file", "") or default_file(name)
        path = self.path(file)
        if (name, file) not in self._desks:
            game = service.of(site).lines.game(name)
            if not game.on_device or not game.perfect_information:
                raise UserError("people are asked about games that hide nothing, of compiled rules")
            asking = Questionnaire(HumanJudge(VerdictFile(path, game)), self._seed)
            self._desks[name, file] = Desk(asking)
        self._desks.move_to_end((name, file))
        while len(self._desks) > _MOST_DESKS:
            self._desks.popitem(last=False)
        return self._desks[name, file]

    def files(self) -> list[dict[str, Any]]:
        """The files there are: name, how many verdicts, and of which game, as far as known."""
        found = []
        for path in sorted(self.folder.glob("*.jsonl"))[:_MOST_FILES]:
            lines = path.read_bytes().splitlines()
            found.append({"name": path.stem, "count": max(0, len(lines) - 1)})
        return found

    def make_room(self, path: Path) -> None:
        """Makes the folder; raises UserError if there are too many files in it."""
        if path.exists():
            return
        self.folder.mkdir(exist_ok=True)
        if sum(1 for _ in self.folder.glob("*.jsonl")) >= _MOST_FILES:
            raise UserError(f"there are {_MOST_FILES} files of verdicts already; take one of them")


def default_file(game: str) -> str:
    """The file of a game's verdicts, if no other is named."""
    return re.sub(r"[^\w.=-]+", "-", game)[:60]


def ask(site: Site, desks: Desks, asked: dict[str, str]) -> View:
    """A question for a window: the one that it `held` before it was loaded anew, or the next."""
    desk, kind = desks.desk(site, asked), kind_of(asked)
    held = asked.get("held", "")
    known = desk.given.get(held)
    if known is None or known.kind != kind:
        held = desk.give(kind)
    return view(desk, held, _who(asked))


def answer(site: Site, desks: Desks, asked: dict[str, str]) -> View:
    """Keeps an answer, `verdict` being left, right, equal or skip; the next question."""
    desk, kind, who = desks.desk(site, asked), kind_of(asked), _who(asked)
    token, said = asked.get("token", ""), asked.get("verdict", "")
    known = desk.given.get(token)
    question = known.question if known else _question(desk.game, asked)
    if said == "skip":
        desk.skipped.add(question)
    elif said not in _ANSWERS:
        raise UserError(f"an answer is {', '.join(_ANSWERS)} or skip, not {said!r:.20}")
    else:
        if desk.asking.count >= MOST_VERDICTS:
            raise UserError(f"the file holds {MOST_VERDICTS:,} verdicts; name another one")
        desks.make_room(desk.asking.judge.file.path)
        desk.asking.answer(question, _ANSWERS[said], who=who, seconds=_seconds(asked))
    desk.given.pop(token, None)
    _learn(site, desk)
    return view(desk, desk.give(kind), who)


def _learn(site: Site, desk: Desk) -> None:
    """Has the model learnt anew, if that is due, while questions go on."""
    if desk.learning or not desk.asking.due:
        return
    with suppress(Busy):  # it is due at the next answer, too
        name = f"judge {desk.asking.judge.file.path}"
        site.worker.submit(name, desk.learn(), limited=False)
        desk.learning = True


def picture(site: Site, desks: Desks, asked: dict[str, str]) -> Picture:
    """A position of a game that is compared, after `ply` of its `moves`."""
    game = desks.desk(site, asked).game
    moves = _moves(asked.get("moves", ""))
    ply = int(asked["ply"]) if asked.get("ply", "").isdecimal() else len(moves)
    return _picture(game, moves[:ply])


def view(desk: Desk, token: str, who: str) -> View:
    """What a page is told of a question that it has."""
    given, asking = desk.given[token], desk.asking
    prompt, left, right = _PROMPTS[given.kind]
    question = given.question
    parts = [moves for moves in (question.moves, question.other) if moves is not None]
    agreed = asking.agreement
    return View(
        token=token,
        moves=_text(question.moves),
        other="" if question.other is None else _text(question.other),
        prompt=prompt,
        left=left,
        right=right,
        pictures=[_picture(desk.game, moves) for moves in parts],
        plies=[len(moves) for moves in parts],
        count=asking.count,
        mine=sum(one.who == who for one in asking.verdicts),
        held_out={"right": agreed.right, "decided": agreed.decided} if agreed else None,
    )


def _picture(game: Game, moves: tuple[int, ...]) -> Picture:
    state = position(game, moves)
    last: list[str] = []
    if moves:
        before = position(game, moves[:-1])
        if int(game.mover(before)) >= 0:
            last = [cell for cell in game.clicks(before, moves[-1]) if not cell.startswith("=")]
    mover = int(game.mover(state))
    if mover == OVER:
        payoff = float(game.payoff(state))
        note = "First has won" if payoff > 0 else "Second has won" if payoff < 0 else "A draw"
    else:
        note = ("First to move", "Second to move")[mover] if mover >= 0 else "Chance moves"
    return Picture(board=game.draw(state), last=last, note=note)


def kind_of(asked: dict[str, str]) -> Kind:
    """What is compared, by an address; raises UserError if it is nothing."""
    kind = asked.get("kind", "") or "seats"
    if kind not in get_args(Kind):
        raise UserError(f"what is compared is {', '.join(get_args(Kind))}, not {kind!r:.20}")
    return cast(Kind, kind)


def _who(asked: dict[str, str]) -> str:
    return " ".join(asked.get("who", "").split())[:60] or "anonymous"


def _seconds(asked: dict[str, str]) -> float:
    try:
        seconds = float(asked.get("seconds", ""))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 10**6:
        raise UserError("an answer has taken some seconds")
    return round(seconds, 3)


def _question(game: Game, asked: dict[str, str]) -> Question:
    """A question that an earlier server gave; raises UserError if it cannot have."""
    moves, other = asked.get("moves", ""), asked.get("other", "")
    if not moves:
        raise UserError("which question? it is not known here any more")
    found = Question(_moves(moves), _moves(other) if other else None)
    for one in (found.moves, found.other or ()):
        position(game, one)
    return found


def _moves(text: str) -> tuple[int, ...]:
    parts = [part for part in text.removeprefix(_START).split(",") if part]
    if len(parts) > _MOST_MOVES or not all(part.isdecimal() and len(part) < 9 for part in parts):
        raise UserError("the moves of a position are numbers")
    return tuple(map(int, parts))


def _text(moves: tuple[int, ...]) -> str:
    return ",".join(map(str, moves)) or _START
