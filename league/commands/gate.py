"""Decide whether a newer snapshot may call itself the champion of its run."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from arena.errors import UserError
from arena.types import Agent, HostAgent
from league.cli import closing, console, device, names
from league.evaluation import compute_ledger
from league.gate import accuracy, heldout
from league.gate.decision import Gate, Rule, Verdict
from league.gate.matches import Trials
from league.gate.store import Asked, Lineage
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
    training has never started from. Where exact values are known (arena judge), it must not keep
    the value of the game in fewer positions than the champion. Training hears nothing of it. If a
    kill cuts a gate off, the same command goes on with it: no game is lost or counted twice.

    Attributes:
      run: RUN, or RUN:ID to test this snapshot alone.
      against: held-out opponents: snapshots of other runs, engines, uniform, mcts:100; by default
        uniform, and where search is possible the tree search that the run was measured by.
      best_of: newest snapshots to choose the candidate from; those refused before are left out.
      simulations: of the search that all snapshots play with; by default as when they were
        measured against tree search, or none.
      opening_plies: openings are up to so many random moves long; by default four more than in
        training.
      rule: how candidates are judged.
      json: print JSON lines: trials, and the verdict.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN[:ID]")]
    against: tuple[str, ...] = ()
    best_of: int = 4
    simulations: int | None = None
    opening_plies: int | None = None
    rule: Annotated[Rule, tyro.conf.arg(name="")] = dataclasses.field(default_factory=Rule)
    json: bool = False

    def __post_init__(self):
        if self.best_of <= 0:
            raise UserError(f"best-of must be positive, not {self.best_of}")
        for name in ("simulations", "opening_plies"):
            if (getattr(self, name) or 0) < 0:
                raise UserError(f"{name} must not be negative")


@dataclass(frozen=True)
class _Setting:
    """What is settled before the first game.

    Attributes:
      candidates: newest first.
      champion: who reigns.
      former: champions before.
      against: names and digests of the held-out opponents; no digest where there are no weights.
      simulations: of all snapshots.
      plies: of openings.
      newest: generations whose openings training has seen.
    """

    candidates: list[int]
    champion: int
    former: list[int]
    against: dict[str, str]
    simulations: int
    plies: int
    newest: int


def run(command: Command) -> None:
    """Plays the gate, or what is left of it, and prints its verdict."""
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
        judges = _judges(command, work, results)
        with closing.seated(*judges.values()):
            setting = _settle(command, work, lineage, judges, number if colon else None)
            gate = lineage.ask(_question(command.rule, setting))
            if gate.verdict is None:
                gate = _decide(command, work, lineage, gate, setting, judges)
        _show(command.json, work, gate, compute_ledger.spent(results))
    work.close()


def _judges(command: Command, work: Run, results: Results) -> dict[str, Agent | HostAgent]:
    """The held-out opponents, none of whom training has met."""
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


def _settle(
    command: Command,
    work: Run,
    lineage: Lineage,
    judges: dict[str, Agent | HostAgent],
    number: str | None,
) -> _Setting:
    """Who is tested against whom, and how."""
    newest = max(work.state.numbers(), default=0)  # what is half saved may be trained once more
    champions = [0, *lineage.champions()]
    reigning = champions[-1]
    if number is None:
        tried = {
            gate.body["candidate"]
            for gate in lineage.gates()
            if gate.body and gate.verdict == "refused" and gate.body["champion"] == str(reigning)
        }
        fresh = [i for i in range(newest, reigning, -1) if str(i) not in tried]
        candidates = fresh[: command.best_of]
        if not candidates:
            raise UserError(f"run {work.name!r} has no snapshot newer than its champion {reigning}")
    else:
        candidates = [_candidate(work, number, newest, reigning)]
    usual = work.config.measure.simulations if work.game.searchable else 0
    plies = command.opening_plies
    return _Setting(
        candidates,
        reigning,
        sorted({*champions[:-1]} - {reigning, *candidates}),
        {
            name: digest(one.params) if isinstance(one, Agent) and one.params != () else ""
            for name, one in judges.items()
        },
        usual if command.simulations is None else command.simulations,
        work.config.opening_plies + _DEEPER if plies is None else plies,
        newest,
    )


def _candidate(work: Run, number: str, newest: int, reigning: int) -> int:
    if not number.isdecimal() or int(number) > newest:
        raise UserError(f"run {work.name!r} has no snapshot {number!r}; it has 0 to {newest}")
    if int(number) == reigning:
        raise UserError(f"snapshot {number} of run {work.name!r} is its champion already")
    return int(number)


def _question(rule: Rule, setting: _Setting) -> dict[str, Any]:
    """What makes a gate the same gate, as JSON has it."""
    return {**dataclasses.asdict(setting), "rule": dataclasses.asdict(rule)}


def _decide(
    command: Command,
    work: Run,
    lineage: Lineage,
    gate: Asked,
    setting: _Setting,
    judges: dict[str, Agent | HostAgent],
) -> Asked:
    """Plays the gate and writes its verdict down."""
    seen = heldout.trained(work, setting.newest)
    roles = ("gate: test", "gate: veto")
    openings = [
        heldout.Openings(work.game, seen, work.key(gate.id, role), setting.plies) for role in roles
    ]
    policy = work.eval_policy(setting.simulations)
    own = {*setting.candidates, setting.champion, *setting.former}
    agents = {str(i): Agent(str(i), policy, work.weights(i)) for i in own}
    positions = accuracy.unseen(work, seen)
    solved = (
        accuracy.Solved(positions, agents, work.key(gate.id, "gate: exam")) if positions else None
    )
    trials = Trials(
        work.game,
        command.rule,
        {**judges, **agents},
        (openings[0], openings[1]),
        work.key(gate.id, "gate: games"),
    )
    question = Gate(
        command.rule,
        [str(i) for i in setting.candidates],
        str(setting.champion),
        [*map(str, setting.former), *judges],
        lineage.kept(gate.id, setting.newest, trials),
        console.emit if command.json else _tell,
        solved,
    )
    verdict = question.decide()
    body = {**_body(verdict), "champion": str(setting.champion), "openings_seen": len(seen)}
    lineage.answer(gate.id, body, int(verdict.candidate) if verdict.promoted else None)
    return dataclasses.replace(
        gate, verdict="promoted" if verdict.promoted else "refused", body=body
    )


def _body(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON has it."""
    inflation = verdict.inflation
    return {
        "candidate": verdict.candidate,
        "reason": verdict.reason,
        "selection": [_score(name, found) for name, found in verdict.selection],
        "fresh": _score(verdict.candidate, verdict.fresh),
        "inflation": inflation[0] if inflation else None,
        "inflation_half_width": inflation[1] if inflation else None,
        "test": {"pairs": verdict.test, "llr": verdict.llr, "bounds": verdict.bounds},
        "vetoes": [{**_score(name, found), "lost": lost} for name, found, lost in verdict.vetoes],
        "exam": verdict.exam and verdict.exam._asdict(),
    }


def _score(name: str, found: Any) -> dict[str, Any]:
    return {"agent": name, "score": found.score, "half_width": found.half_width}


def _tell(event: dict[str, Any]) -> None:
    """A trial, on stderr."""
    if event["event"] == "exam":
        console.stderr.print(f"exam: {_exam(event)}")
        return
    said = event.get("words") or f"{event['score']:.1%} ± {event['half']:.1%}"
    console.stderr.print(f"{event['event']}: {event['a']} against {event['b']}: {said}")


def _exam(found: dict[str, Any]) -> str:
    return (
        f"kept in {found['candidate']} of {found['positions']} positions, "
        f"by the champion in {found['champion']} (p = {found['p']:.2g})"
    )


def _show(json: bool, work: Run, gate: Asked, passes: dict[str, int]) -> None:
    """The verdict and what it rests on."""
    assert gate.body is not None
    body = gate.body
    if json:
        told = {"run": work.name, "gate": gate.id, "verdict": gate.verdict}
        console.emit({"event": "verdict", **told, **body, "passes": passes})
        return
    print(f"{gate.verdict}: {body['reason']}")
    lower, upper = body["test"]["bounds"]
    rule = gate.question["rule"]
    print(
        f"LLR: {body['test']['llr']:z.2f} ({lower:.2f}, {upper:.2f}) "
        f"[{rule['elo0']:z.2f}, {rule['elo1']:z.2f}], Ptnml(0-2): {list(body['test']['pairs'])}"
    )
    for one in body["vetoes"]:
        verdict = "lost" if one["lost"] else "not lost"
        print(f"against {one['agent']}: {one['score']:.1%} ± {one['half_width']:.1%}, {verdict}")
    if body.get("exam"):  # a gate of an older version has none
        print(
            f"exact values: {_exam(body['exam'])}, {'lost' if body['exam']['lost'] else 'not lost'}"
        )
    if body["selection"]:
        chosen = max(one["score"] for one in body["selection"])
        print(
            f"best of {len(body['selection'])}: {chosen:.1%} when chosen, "
            f"{body['fresh']['score']:.1%} on fresh games: flattered by "
            f"{body['inflation']:+.1%} ± {body['inflation_half_width']:.1%}"
        )
    print(
        f"forward passes: {passes['type_1']:,} for training (type 1), "
        f"{passes['type_2']:,} for measuring and the gate (type 2)"
    )
