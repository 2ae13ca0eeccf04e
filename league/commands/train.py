"""Train a league."""

import contextlib
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from agents import judges, learners
from agents.learners.base import LearnerConfig
from arena import host_calls, hosts
from arena.errors import UserError
from arena.shards import fitting
from league.cli import console, device, interrupts, names
from league.cli.progress import TrainingProgress
from league.cluster import helping
from league.cluster.config import IN_PROCESS, ClusterFlags
from league.evaluation import leaderboard
from league.report import build, tensorboard, terminal
from league.settings import defaults
from league.settings.config import Config
from league.store import card as cards
from league.store import runs, status
from league.store.database import Results
from league.store.imported_games import ImportedGames
from league.store.initial import InitialWeights
from league.store.run import Run
from league.training.actors import Actors
from league.training.events import Callback, Event, as_json
from league.training.trainer import Trainer

_FLAGS = ("--rated", "--no-rated", "--resume", "--no-resume", "--json", "--no-json", "--help", "-h")


@dataclass(frozen=True)
class Command:
    """Train a league: self-play against itself and its own past, every snapshot kept and rated.

    Attributes:
      game: what to learn; see `arena games`.
      config: how.
      method: the learner: alphazero (search), ppo (results alone; any game), mmd (equilibria under
        hidden information), imitation (of what the judge prefers; any game), or MODULE:CLASS; what
        suits the game by default.
      network: its network: resnet, mlp, transformer, or MODULE:CLASS; what suits the game by
        default.
      judge: who says who won in training games and searches: rules, the default; flipped:0.1;
        program:./judge.py; self or self:lag=4; learned:FILE; human:FILE; solver;
        adjudicated:PLIES,by=JUDGE, as by=solver, by=stockfish, by=gnugo or by=gnubg; or
        MODULE:CLASS. Measuring always goes by the rules.
      start: what to begin with rather than random weights: those of RUN, RUN:ID or pretrained:GAME;
        or FILE.npz, games of `arena data import`, which the first policy imitates before it learns
        from games of its own.
      rated: tell the network the ratings of the players whose games it imitates; then
        RUN:ID,rating=2400 moves like a player of that rating.
      name: of the run, `runs/NAME`; by default the game's name, numbered.
      database: a PostgreSQL database for the run's record, which leagues may share:
        postgresql+psycopg://USER@HOST/NAME, without a password, which ~/.pgpass or PGPASSWORD tell;
        a file in the run's folder by default.
      store: a folder elsewhere, or s3://BUCKET/… or gs://BUCKET/…, for the run's weights and data;
        the run's folder by default.
      cluster: where the training games are played.
      hosts: divide the gradients between hosts that compute together: HEAD:PORT,COUNT, this one
        being HEAD and the others `arena join`; or auto, if Slurm, Open MPI or Kubernetes tells.
      resume: go on with a run that was killed, or with more --generations; by default the
        newest of this game.
      log: tensorboard also writes what the report plots as event files, runs/NAME/tensorboard.
      json: print JSON lines: phases, generations, and the result.
    """

    game: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="GAME")]
    config: Annotated[Config, tyro.conf.arg(name="")]
    method: Annotated[str, tyro.conf.arg(name="learner", metavar="NAME")] = ""
    network: Annotated[str, tyro.conf.arg(metavar="NAME")] = ""
    judge: Annotated[str, tyro.conf.arg(metavar="NAME")] = ""
    start: Annotated[str, tyro.conf.arg(name="from", metavar="AGENT|FILE")] = ""
    rated: bool = False
    name: str = ""
    database: Annotated[str, tyro.conf.arg(metavar="URL")] = ""
    store: Annotated[str, tyro.conf.arg(metavar="PATH|URL")] = ""
    cluster: Annotated[ClusterFlags, tyro.conf.arg(name="")] = IN_PROCESS
    hosts: Annotated[str, tyro.conf.arg(metavar="HEAD:PORT,COUNT|auto")] = ""
    resume: bool = False
    log: Literal["none", "tensorboard"] = "none"
    json: bool = False


def prepare(arguments: list[str]) -> None:
    """Meets the hosts that help, if there are any: JAX has to know of them before all else."""
    _, options = _read(arguments)
    if "--hosts" in options:
        device.prepare()
        _lead(options["--hosts"])


def default(arguments: list[str]) -> Command:
    """Defaults that depend on the arguments: those of the game, or of the run to resume."""
    device.prepare()  # before the code of a user's game, which may start JAX
    game, options = _read(arguments)
    if {"--time", "--generations"} <= set(options):
        raise UserError("give --time or --generations: each says how long a run is")
    helped = "--help" in arguments or "-h" in arguments
    if "--resume" in options and game and not helped:
        config = runs.find(game, options.get("--name", "")).config
    elif game:
        rules = names.game(game)
        begins = names.beginning(options.get("--from", ""), rules)
        learner = options.get("--learner", "")
        settled = None
        if isinstance(begins, InitialWeights):
            learner, settled = learner or begins.learner, begins.network
        config = defaults.default(
            game.partition(":")[0],
            rules,
            learner=learner,
            network=options.get("--network", ""),
            time=options.get("--time", ""),
            settled=settled,
            imitates=isinstance(begins, ImportedGames),
        )
    else:
        config = Config()
    return Command(game or tyro.MISSING, config)


def _lead(rendezvous: str) -> None:
    """Waits for the hosts that help."""
    where = hosts.Rendezvous.parse(rendezvous)
    console.keep_stdout()  # Gloo tells of its connections there
    if where.address:
        print(f"waiting for hosts: arena join {where} --host 1", end="", file=sys.stderr)
        print(f" to {where.count - 1}" * (where.count > 2), file=sys.stderr, flush=True)
    try:
        hosts.connect(where, 0 if where.address else None, leads=True, about=helping.alike)
    except KeyboardInterrupt:  # JAX would go on waiting, and then complain
        print("arena: interrupted", file=sys.stderr, flush=True)
        os._exit(interrupts.CODE)
    if hosts.index() > 0:
        raise UserError(f"this is host {hosts.index()}, and 0 leads: `arena join {where}` helps it")


def _read(arguments: list[str]) -> tuple[str, dict[str, str]]:
    """The game and the options as they are written: all but the flags are followed by a value."""
    game, options, rest = "", {}, iter(arguments)
    for argument in rest:
        key, equals, value = argument.partition("=")
        if not key.startswith("-"):
            game = game or argument
        elif equals or key in _FLAGS:
            options[key] = value
        else:
            options[key] = next(rest, "")
    return game, options


def run(command: Command) -> None:
    """Trains, then prints the table of snapshots."""
    game = names.game(command.game)
    learners.check(game, command.config.learner)
    command.cluster.config()
    _check_hosts(command.config.learner)
    judge = command.judge or "rules"
    command.config.check_judge(
        judges.check(judge, game, command.config.learner, seed=command.config.seed)
    )
    if command.log == "tensorboard":
        tensorboard.check()
    for note in getattr(getattr(game, "spec", None), "notes", ()):
        console.stderr.print(f"note: {note}")
    device.prepare()
    if command.resume:
        if command.start:
            raise UserError("a resumed run goes on from its own state: leave --from away")
        work = runs.find(command.game, command.name)
        runs.check_kept(work, learner=command.method, network=command.network, judge=command.judge)
        runs.check_database(work, command.database)
        runs.check_store(work, command.store)
        _note_threads(work)
    else:
        begins = names.beginning(command.start, game)
        if isinstance(begins, InitialWeights):
            begins.check(game, command.config.learner)
        work = runs.create(
            command.game,
            command.config,
            name=command.name,
            judge=judge,
            begins=begins,
            database=command.database,
            store=command.store,
            rated=command.rated,
        )
    place = f"arena train {shlex.quote(command.game)} --resume --name {work.name}"
    kept = f"run {work.name!r} is kept, go on with: {place}"
    with (
        _telling(kept),
        host_calls.leading(),
        interrupts.closing_line(kept),
        work.lock(),
        status.telling(work.folder, max(work.state.numbers(), default=0)),
        work.results(create=not work.state.numbers()) as results,
    ):
        if command.resume:
            runs.extend(work, command.config)
        with contextlib.ExitStack() as stack:
            callback = _callback(command, work, results, stack)
            Trainer(work, results, callback, actors=_actors(command, work, stack)).train()
        status.write(work.folder, max(work.state.numbers(), default=0), "report")
        found = leaderboard.compute(results, work.config.measure.max_elo_step)
        report = build.write(work, results, found)
        terminal.show(work, results, found, report=report, json=command.json)
    work.close()


def _check_hosts(learner: LearnerConfig) -> None:
    """Raises UserError if the shards of a batch cannot be divided between the hosts."""
    shards = fitting(learner.batch_size, learner.shards)
    if shards % hosts.count():
        raise UserError(
            f"{hosts.count()} hosts cannot share {shards} shards of a batch: --learner.shards has "
            "to be a multiple of them, and to divide --learner.batch-size"
        )


@contextlib.contextmanager
def _telling(kept: str) -> Iterator[None]:
    """Around work that the loss of a host ends: says what else there is to be said."""
    try:
        yield
    except hosts.HostLostError as error:
        raise UserError(f"{error}; {kept}") from None


def _note_threads(work: Run) -> None:
    """Says if XLA has another number of threads than when the run began."""
    begun, now = work.card.get("threads"), cards.threads()
    if begun is not None and now is not None and begun != now:
        console.stderr.print(
            f"note: the run began with {begun} threads of XLA and goes on with {now}, so last bits "
            f"of what it learns may differ; PJRT_NPROC={begun} ARENA_CPU_DEVICES={begun} keep them"
        )


def _actors(command: Command, work: Run, stack: contextlib.ExitStack) -> Actors | None:
    """Those of the cluster, if one is named; the stack lets them go."""
    if (config := command.cluster.config()) is None:
        return None
    from league.cluster import connection

    return stack.enter_context(connection.training(config, work, console.stderr.print))


def _callback(
    command: Command, work: Run, results: Results, stack: contextlib.ExitStack
) -> Callback:
    """What shows and logs the trainer's events; the stack closes it."""
    callbacks: list[Callback] = [lambda event: console.emit(as_json(event))]
    if not command.json:
        done = max(work.state.numbers(), default=0)
        callbacks = [stack.enter_context(TrainingProgress(lambda: _total(work), done=done))]
    if command.log == "tensorboard":
        callbacks.append(stack.enter_context(tensorboard.TensorBoardLog(work, results)))

    def call(event: Event) -> None:
        for callback in callbacks:
            callback(event)

    return call


def _total(work: Run) -> int:
    """Generations of a run; 0 as long as they are not known."""
    return work.config.generations if work.config.calibrated else 0
