"""Decide whether a newer snapshot may call itself the champion of its run."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from agents import judges
from arena.errors import (
    PLIES,
    SIMULATIONS,
    UserError,
    check_not_negative,
    check_positive,
    whole_number,
)
from arena.play.executor import Executor
from arena.types import Agent, HostAgent, Judge
from league.cli import closing, console, device, interrupts, names
from league.cluster import connection
from league.cluster.config import IN_PROCESS, ClusterFlags
from league.gate import accuracy, heldout
from league.gate.decision import Gate
from league.gate.match import GateMatch
from league.gate.matches import GateMatches
from league.gate.rule import Question, Rule
from league.gate.store import GateRecord, Lineage, passes_spent
from league.gate.verdict import AccuracyCompared, AccuracyTest, GateEvent, TestContinued, Verdict
from league.settings.json_object import JsonObject
from league.store import places
from league.store.checkpoints import digest
from league.store.database import Results
from league.store.run import Run

_DEEPER = 4  # plies that held-out openings may go beyond those of training


@dataclass(frozen=True)
class Command:
    """Decide whether a newer snapshot may call itself the champion of its run, RUN:champion.

    The best of the newest snapshots has to beat the reigning champion, at first snapshot 0, in a
    sequential test (SPRT, normalised Elo), and must lose neither to the agents of --against, who
    never took part in training, nor to former champions. All games start from openings that
    training has never started from. Where exact values are known (arena accuracy), its moves must
    not be optimal in fewer positions than the champion's. Training does not depend on it. If a kill
    cuts a gate off, the same command goes on with it: no game is lost or counted twice.

    Attributes:
      run: RUN, or RUN:ID to test this snapshot alone.
      against: held-out opponents: snapshots of other runs, engines, uniform, mcts:100; by default
        uniform, and where search is possible the tree search that the run was measured by.
      best_of: newest snapshots to choose the candidate from; those refused before are left out.
      simulations: of the search that all snapshots play with; by default as when they were
        measured against tree search, or none.
      opening_plies: openings are up to so many random moves long; by default four more than in
        training.
      judge: who says who won, as for arena train; the rules by default. Another one decides by what
        it says alone, without exact values, and each question put to it counts: it can be used up.
      rule: how candidates are tested.
      cluster: where the games are played.
      json: print JSON lines: matches, and the verdict.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN[:ID]")]
    against: tuple[str, ...] = ()
    best_of: int = 4
    simulations: int | None = None
    opening_plies: int | None = None
    judge: Annotated[str, tyro.conf.arg(metavar="NAME")] = "rules"
    rule: Annotated[Rule, tyro.conf.arg(name="")] = dataclasses.field(default_factory=Rule)
    cluster: Annotated[ClusterFlags, tyro.conf.arg(name="")] = IN_PROCESS
    json: bool = False

    def __post_init__(self):
        check_positive(self, "best_of")
        check_not_negative(self, "simulations", most=SIMULATIONS)
        check_not_negative(self, "opening_plies", most=PLIES)


def run(command: Command) -> None:
    """Plays the gate, or what is left of it, and prints its verdict."""
    cluster = command.cluster.config()
    device.prepare()
    name, colon, number = command.run.partition(":")
    work = names.run(name)
    if not work.game.on_device:
        raise UserError(
            "the gate plays games of games/ only: from which positions of an imported one training "
            "has begun is known to its env alone"
        )
    with work.lock(), work.results() as results:
        lineage = Lineage(results)
        opponents = _opponents(command, work, results)
        kept = "matches that were over are kept, the same command goes on"
        with interrupts.closing_line(kept), closing.seated(*opponents.values()):
            question = _question(command, work, lineage, opponents, number if colon else None)
            gate = lineage.open(question)
            if gate.verdict is None:
                with connection.executor(cluster, "gate", work, console.stderr.print) as executor:
                    gate = _decide(command, work, lineage, gate, opponents, executor)
        _show(command.json, work, gate, passes_spent(results))
    work.close()


def _opponents(command: Command, work: Run, results: Results) -> dict[str, Agent | HostAgent]:
    """The held-out opponents, none of which training has met, by name."""
    specs = command.against or _usual(work)
    pool = {sha: f"snapshot {number}" for number, sha in results.digests().items()}
    pool |= {one.digest: f"exploiter {one.id}" for one in results.exploiters()}
    found = {}
    for spec in specs:
        agent = names.agent(spec, work.game)[1]
        if isinstance(agent, Agent) and agent.params != ():
            heldout.check(spec, digest(agent.params), pool)
        found[spec] = agent
    return found


def _usual(work: Run) -> tuple[str, ...]:
    tree = (f"mcts:{work.config.measure.rollouts}",) if work.game.searchable else ()
    return ("uniform", *tree)


def _question(
    command: Command,
    work: Run,
    lineage: Lineage,
    opponents: dict[str, Agent | HostAgent],
    number: str | None,
) -> Question:
    """Who is tested against whom, and how; `number` is the snapshot to test, if one is named."""
    newest = max(work.state.numbers(), default=0)  # what is half saved may be trained once more
    champions = [0, *lineage.champions()]
    reigning = champions[-1]
    if number is None:
        candidates = _untried(lineage, newest, reigning)[: command.best_of]
        if not candidates:
            raise UserError(f"run {work.name!r} has no snapshot newer than its champion {reigning}")
    else:
        candidates = [_candidate(work, number, newest, reigning)]
    usual = work.config.measure.simulations if work.game.searchable else 0
    plies = command.opening_plies
    return Question(
        candidates=candidates,
        champion=reigning,
        former=sorted({*champions[:-1]} - {reigning, *candidates}),
        against={
            name: digest(one.params) if isinstance(one, Agent) and one.params != () else ""
            for name, one in opponents.items()
        },
        simulations=usual if command.simulations is None else command.simulations,
        plies=work.config.opening_plies + _DEEPER if plies is None else plies,
        newest=newest,
        rule=command.rule,
        judge=places.settled("judge", command.judge),
    )


def _untried(lineage: Lineage, newest: int, reigning: int) -> list[int]:
    """Snapshots after the champion that it has not refused, newest first."""
    verdicts = [gate.verdict for gate in lineage.gates() if gate.verdict]
    tried = {
        one.candidate for one in verdicts if not one.promoted and one.champion == str(reigning)
    }
    return [i for i in range(newest, reigning, -1) if str(i) not in tried]


def _candidate(work: Run, number: str, newest: int, reigning: int) -> int:
    if whole_number(number, most=newest) is None:
        raise UserError(f"run {work.name!r} has no snapshot {number!r}; it has 0 to {newest}")
    if int(number) == reigning:
        raise UserError(f"snapshot {number} of run {work.name!r} is its champion already")
    return int(number)


def _decide(
    command: Command,
    work: Run,
    lineage: Lineage,
    gate: GateRecord,
    opponents: dict[str, Agent | HostAgent],
    executor: Executor,
) -> GateRecord:
    """Plays the gate and writes its verdict down."""
    question = gate.question
    judge = _judge(question, work, opponents)
    seen = heldout.trained(work, question.newest)
    roles = ("gate: test", "gate: veto")  # keys go by the names of the first version
    test, checks = (
        heldout.Openings(work.game, seen, work.key(gate.id, role), question.plies) for role in roles
    )
    own = {*question.candidates, question.champion, *question.former}
    agents = {str(i): work.agent(i, simulations=question.simulations) for i in own}
    positions = accuracy.unseen(work, seen) if judge.exact else None
    matches = GateMatches(
        work.game,
        question.rule,
        {**opponents, **agents},
        (test, checks),
        work.key(gate.id, "gate: games"),
        judge,
        executor,
    )

    def begin(coming: Sequence[GateMatch]) -> None:
        matches.begin([one for one in coming if lineage.scores(gate.id, one) is None])

    verdict = Gate(
        question.rule,
        [str(i) for i in question.candidates],
        str(question.champion),
        heldout=[*map(str, question.former), *opponents],
        play=lineage.recorded(gate.id, question.newest, matches),
        begin=begin if executor.ahead else None,
        compare=(
            accuracy.MoveComparison(positions, agents, work.key(gate.id, "gate: exam"))
            if positions
            else None
        ),
        callback=_emit if command.json else _print,
    ).decide()
    earlier = [one.question.judge for one in lineage.gates() if one.verdict]
    verdict = dataclasses.replace(
        verdict,
        openings_seen=len(seen),
        judge=question.judge,
        asked=1 + earlier.count(question.judge),
    )
    lineage.close(gate.id, verdict)
    return dataclasses.replace(gate, verdict=verdict)


def _judge(question: Question, work: Run, opponents: dict[str, Agent | HostAgent]) -> Judge:
    """Who decides; raises UserError if it cannot."""
    judge = judges.check(question.judge, work.game, work.config.learner, seed=work.config.seed)
    if judge.weighted is not None:
        raise UserError(
            f"{question.judge} changes with a training: a gate needs a judge that stays"
        )
    if judge.cut_after and any(isinstance(one, HostAgent) for one in opponents.values()):
        raise UserError(f"{question.judge} cuts games, which those with a program are not")
    return judge


def _emit(event: GateEvent) -> None:
    """An event as a JSON line."""
    console.emit(as_json(event))


def as_json(event: GateEvent) -> JsonObject:
    """An event as programs read it: `event` is select, test, heldout or accuracy."""
    agents = {"a": event.a, "b": event.b}
    if isinstance(event, AccuracyCompared):
        return {"event": "accuracy", **agents, **dataclasses.asdict(event.test)}
    if isinstance(event, TestContinued):
        return {"event": "test", **agents, "description": event.description}
    figures = {"score": event.score, "half_width": event.half_width}
    return {"event": event.stage.name.lower(), **agents, **figures}


def _print(event: GateEvent) -> None:
    """An event, on stderr."""
    if isinstance(event, AccuracyCompared):
        name, result = "accuracy", _accuracy(event.test)
    elif isinstance(event, TestContinued):
        name, result = "test", event.description
    else:
        name = event.stage.name.lower()
        result = f"{event.score:.1%} ± {event.half_width:.1%}"
    console.stderr.print(f"{name}: {event.a} against {event.b}: {result}")


def _accuracy(found: AccuracyTest) -> str:
    return (
        f"optimal in {found.candidate} of {found.positions} positions, "
        f"the champion's in {found.champion} (p = {found.p:.2g})"
    )


def _show(json: bool, work: Run, gate: GateRecord, passes: dict[str, int]) -> None:
    """The verdict and what it rests on."""
    verdict = gate.verdict
    assert verdict is not None
    decided = "promoted" if verdict.promoted else "refused"
    if json:
        head = {"event": "verdict", "run": work.name, "gate": gate.id, "verdict": decided}
        console.emit({**head, **verdict.to_json(), "passes": passes})
        return
    print(f"{decided}: {verdict.reason}")
    print("\n".join([*_grounds(gate.question.rule, verdict), _reuse(gate.question.rule, verdict)]))
    print(
        f"forward passes: {passes['type_1']:,} for training (type 1), "
        f"{passes['type_2']:,} for measuring and the gate (type 2)"
    )


def _reuse(rule: Rule, verdict: Verdict) -> str:
    """How often the judge has been asked, and what that does to its verdicts."""
    false = verdict.false_promotion(rule.alpha)
    return (
        f"judge: {verdict.judge}, asked for the {_nth(verdict.asked)} time; of so many questions "
        f"one promotes an equal with a probability of {false:.0%} at most, and the best of as many "
        f"equals would seem better by {verdict.reuse_inflation:.1%}"
    )


def _nth(number: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"


def _grounds(rule: Rule, verdict: Verdict) -> list[str]:
    """What a verdict rests on, in lines."""
    test, (lower, upper) = verdict.test, verdict.test.bounds
    lines = [
        f"LLR: {test.llr:z.2f} ({lower:.2f}, {upper:.2f}) "
        f"[{rule.elo0:z.2f}, {rule.elo1:z.2f}], Ptnml(0-2): {list(test.pairs)}"
    ]
    for one in verdict.heldout:
        lost = "lost" if one.lost else "not lost"
        lines.append(f"against {one.agent}: {one.score:.1%} ± {one.half_width:.1%}, {lost}")
    if verdict.accuracy:
        lost = "lost" if verdict.accuracy.lost else "not lost"
        lines.append(f"move accuracy: {_accuracy(verdict.accuracy)}, {lost}")
    if verdict.inflation:
        chosen = max(one.score for one in verdict.selection)
        inflation, half = verdict.inflation
        lines.append(
            f"best of {len(verdict.selection)}: {chosen:.1%} when chosen, "
            f"{verdict.fresh.score:.1%} on fresh games: overrated by {inflation:+.1%} ± {half:.1%}"
        )
    return lines
