"""Make a judge: learn one from comparisons, or ask people."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import jax
import numpy as np
import tyro

from agents import judges
from agents.judges import preference
from agents.judges.human import ENSEMBLE, HumanJudge
from agents.judges.questions import Kind, Questionnaire
from agents.judges.verdicts import Question, VerdictFile, position
from arena.errors import UserError, check_positive, check_seed
from games import OVER, Game
from league.cli import console, device, names
from league.settings.json_object import JsonObject
from league.store import learned_judges
from league.store.run import Run
from league.training import comparisons
from league.training.comparisons import Labelled, Positions

_HELD_OUT = 1024
"""Comparisons that measure a judge, from other games than it has learnt from."""


_PROMPTS = {
    "seats": "Who stands better? 0 or 1: that seat;",
    "positions": "In which position does seat 0 stand better? 1 or 2;",
    "games": "In which game has seat 0 played better? 1 or 2;",
}


@dataclass(frozen=True)
class Train:
    """Learn a judge from comparisons: an ensemble of networks that says who won, or stands better.

    It is used as `--judge learned:FILE`, and its accuracy is measured on held-out games.

    Attributes:
      game: whose positions it judges; see `arena games`.
      out: the file to write.
      source: whose games the positions come from: RUN, RUN:ID or RUN:FIRST-LAST, snapshots that
        draw their moves; random play by default.
      comparisons: positions to learn from, each from a game of its own.
      positions: how games ended (final), or a position of any ply (any).
      labels: the judge that says who won or stands better.
      network: of every member, NAME[:KEY=NUMBER,…], as resnet:channels=16,blocks=2; what suits the
        game by default.
      ensemble: members.
      seed: of games and networks.
      json: print one JSON object.
    """

    game: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="GAME")]
    out: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    source: Annotated[str, tyro.conf.arg(name="from", metavar="RUN[:IDS]")] = ""
    comparisons: int = 4096
    positions: Positions = "final"
    labels: Annotated[str, tyro.conf.arg(metavar="JUDGE")] = "rules"
    network: Annotated[str, tyro.conf.arg(metavar="NAME")] = ""
    ensemble: int = 4
    seed: int = 0
    json: bool = False

    def __post_init__(self):
        check_positive(self, "comparisons", most=10**7)
        check_positive(self, "ensemble", most=64)
        check_seed(self.seed)


@dataclass(frozen=True)
class Ask:
    """Ask a person who stands better in positions, and keep the verdicts for `--judge human:FILE`.

    The positions are those on which a model of the verdicts so far is least sure. The page Judge of
    `arena serve` asks the same with pictures; its files are verdicts/NAME.jsonl.

    Attributes:
      game: what is asked about; see `arena games`.
      file: of the verdicts; it is made, or added to.
      who: the name of the person.
      compare: the two seats in a position (seats), or how seat 0 fares in two positions or two
        finished games.
      count: verdicts to ask for; until `quit` by default.
      seed: of the positions.
      json: print a JSON object of what the file holds, and ask nothing.
    """

    game: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="GAME")]
    file: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    who: str = "anonymous"
    compare: Kind = "seats"
    count: int | None = None
    seed: int = 0
    json: bool = False

    def __post_init__(self):
        check_seed(self.seed)
        if self.count is not None:
            check_positive(self, "count")


Command = (
    Annotated[Train, tyro.conf.subcommand("train")] | Annotated[Ask, tyro.conf.subcommand("ask")]
)


def run(command: Train | Ask) -> None:
    """Makes the judge."""
    device.prepare()
    if isinstance(command, Train):
        _train(command)
    else:
        _ask(command)


def _train(command: Train) -> None:
    """Collects comparisons, learns, measures, and writes the file."""
    game = names.game(command.game)
    if not game.on_device:
        raise UserError("a judge is learnt for games whose rules are compiled")
    if not command.out.parent.is_dir():
        raise UserError(f"{command.out} cannot be written: there is no such folder")
    network = preference.parse_network(command.network, game)
    labels = judges.check(command.labels, game, seed=command.seed)
    key = jax.random.key(command.seed)
    collect = _collector(command, game)
    data = collect(labels, command.comparisons, jax.random.fold_in(key, 0))
    held_out = collect(labels, _HELD_OUT, jax.random.fold_in(key, 1))
    pairs = preference.of_positions(data.states, data.label)
    params = preference.fit(
        game, network, pairs, key=jax.random.fold_in(key, 2), ensemble=command.ensemble
    )
    found = measure(game, preference.ask(game, network, params, held_out.states), held_out)
    facts = {
        "labels": command.labels,
        "comparisons": command.comparisons,
        "positions": command.positions,
        "from": command.source or "random play",
        "seed": command.seed,
        "ensemble": command.ensemble,
        "measured": found,
    }
    learned_judges.write(
        command.out, params, game=command.game, rules=game, network=network, **facts
    )
    if command.json:
        console.emit({"file": str(command.out), **facts})
        return
    print(f"{command.out}: learnt from {command.comparisons:,} comparisons by {command.labels}")
    print(
        f"held-out games: names the winner in {found['accuracy']:.1%} of {found['decided']} that "
        f"{command.labels} decides, in {found['accuracy_rules']:.1%} by the rules; mean squared "
        f"error {found['error']:.3f}; its members contradict the majority in "
        f"{found['disagreement']:.1%}"
    )


def measure(game: Game, said: np.ndarray, held_out: Labelled) -> JsonObject:
    """What an ensemble that said f32[K, N] of held-out positions is worth."""
    mean = said.mean(0)
    return {
        "positions": len(mean),
        "decided": int((held_out.label != 0).sum()),
        "accuracy": preference.agreement(mean, held_out.label),
        "accuracy_rules": preference.agreement(mean, held_out.truth),
        "error": float(np.square(mean - held_out.label).mean()),
        "disagreement": float((np.sign(said) != np.sign(mean)).mean()),
    }


def _collector(command: Train, game: Game) -> Callable[..., Labelled]:
    """Where its positions come from."""

    def collect(judge, count, key):
        return comparisons.collect(
            game, judge, count, key=key, positions=command.positions, **source
        )

    source = {}
    if command.source:
        work, ids = _snapshots(command.source)
        if work.game != game:
            raise UserError(f"run {work.name!r} plays {work.card['game']}, not {command.game}")
        source = {
            "learner": work.learner,
            "snapshots": [work.weights(number) for number in ids],
            "plies": work.config.opening_plies,
        }
    return collect


def _snapshots(spec: str) -> tuple[Run, list[str]]:
    """A run and ids of its snapshots by RUN, RUN:ID or RUN:FIRST-LAST; all of them by default."""
    name, _, ids = spec.partition(":")
    work = names.run(name)
    there = sorted(work.snapshots.numbers())
    if not ids:
        return work, [str(number) for number in there]
    first, dash, last = ids.partition("-")
    if not (first.isdecimal() and (last.isdecimal() or not dash)):
        raise UserError(f"{spec!r}: {ids!r} is neither a snapshot nor FIRST-LAST")
    found = [n for n in there if int(first) <= n <= int(last or first)]
    if not found:
        raise UserError(f"run {name!r} has no snapshot {ids}")
    return work, [str(number) for number in found]


def _ask(command: Ask) -> None:
    """Puts questions to a person on the terminal."""
    game = names.game(command.game)
    if not game.on_device or not game.perfect_information:
        raise UserError("people are asked about positions of compiled games that hide nothing")
    judge = HumanJudge(VerdictFile(command.file, game))
    asking = Questionnaire(judge, command.seed)
    if command.json:
        console.emit(_summary(judge))
        return
    pair = command.compare != "seats"
    print(f"{_PROMPTS[command.compare]} = equal; quit ends.")
    given = 0
    while command.count is None or given < command.count:
        asking.learn()
        question = asking.next_question(command.compare)
        print(f"\n{_show(game, question)}")
        began = time.monotonic()
        said = _answer(asking.count + 1, "12" if pair else "01")
        if said is None:
            break
        asking.answer(question, said, who=command.who, seconds=time.monotonic() - began)
        given += 1
    against = VerdictFile.contradictions(judge.file.read())
    told = f", {against} against an earlier one on the same question" if against else ""
    print(f"{command.file}: {asking.count} verdicts{told}; train with --judge human:{command.file}")


def _show(game: Game, question: Question) -> str:
    parts = [moves for moves in (question.moves, question.other) if moves is not None]
    shown = []
    for number, moves in enumerate(parts, 1):
        state = position(game, moves)
        mover = int(game.mover(state))
        ended = "the game is over" if mover == OVER else "the game goes on"
        turn = f"seat {mover} to move" if mover >= 0 else ended
        head = f"{number}:\n" if len(parts) > 1 else ""
        shown.append(f"{head}{game.show(state)}\n{turn}")
    return "\n\n".join(shown)


def _answer(number: int, names: str) -> int | None:
    """What the person says, None to end; `names` are what the two sides are called."""
    known = {names[0]: 1, names[1]: -1, "=": 0}
    while True:
        try:
            text = input(f"{number}> ").strip().lower()
        except EOFError:
            return None
        if text in ("quit", "q"):
            return None
        if text in known:
            return known[text]
        print(f"{names[0]}, {names[1]}, = or quit")


def _summary(judge: HumanJudge) -> JsonObject:
    """What a file of verdicts holds."""
    found = judge.file.read()
    return {
        "file": str(judge.file.path),
        "verdicts": len(found),
        "people": sorted({one.who for one in found}),
        "seconds": sum(one.seconds for one in found),
        "contradictions": VerdictFile.contradictions(found),
        "ensemble": ENSEMBLE,
    }
