"""What a user types becomes an object here, and nowhere else.

connect_four                  a game
pettingzoo:./my_game.py       an env of PettingZoo or Gymnasium as a game
open_spiel:mancala            a game of OpenSpiel
NAME                          a run, `runs/NAME`
NAME:ID                       a snapshot of a run, playing its network's favourite move
NAME:champion                 the snapshot that passed the last gate
NAME:17e2                     one of its second exploiter, if it joined the pool
NAME:ID,simulations=32        the same with search
NAME:ID,rating=2400           the same, moving like a player of that rating, if it knows of ratings
uniform, mcts:100             an agent of `agents/`
gnugo:level=1                 one of them too: an engine, a process of its own
policy:./mine.py              another: the user's own, a Python function
pretrained:connect_four       a net that comes with Arena; `,simulations=32` as above
"""

import importlib
import importlib.util
import re
from pathlib import Path

from agents import learners, registry
from arena import extensions
from arena.errors import SIMULATIONS, UserError, whole_number
from arena.types import Agent, HostAgent
from games import Game
from league.gate.store import Lineage
from league.settings import game_names
from league.store import imported_games, pretrained, runs, snapshot_ids
from league.store.imported_games import ImportedGames
from league.store.initial import InitialWeights
from league.store.run import Run

RUNS = runs.FOLDER
_UP_TO = f", up to {SIMULATIONS:,}"


class AnyGame(UserError):
    """The agent plays any game, so the other side has to say which."""


def game(spec: str) -> Game:
    """A game by name; raises UserError if there is none."""
    try:
        return game_names.load(spec)
    except ValueError as error:
        raise UserError(str(error)) from None


def run(name: str) -> Run:
    """A run by name; raises UserError if there is none."""
    return runs.by_name(name, RUNS)


def snapshot(spec: str) -> tuple[Run, str, int]:
    """A snapshot by `RUN[:ID][,simulations=N]`, the newest by default.

    Returns:
      its run, its id, and simulations a move.
    """
    place, _, text = spec.partition(",")
    options = _options(spec, text)
    if "rating" in options:
        raise UserError(f"{spec!r:.99}: a rating goes with an agent that plays")
    where, number = _found(spec, place)
    return where, number, int(options.get("simulations", 0))


def _found(spec: str, place: str) -> tuple[Run, str]:
    """A run and an id of one of its snapshots, by `RUN[:ID]`."""
    name, _, number = place.partition(":")
    where = run(name)
    with where.results() as results:
        there = results.digests()
    if not there:
        raise UserError(f"run {name!r} has no snapshot yet")
    if not number:
        return where, str(max(there))
    if number == "champion":
        return where, str(champion(where))
    if snapshot_ids.split(number) is None:
        raise UserError(f"{spec!r}: a snapshot's id is a number, not {number!r}")
    return where, number


def _options(spec: str, text: str) -> dict[str, float]:
    """What follows a snapshot's id: simulations=N and rating=R, in any order."""
    found: dict[str, float] = {}
    for option in text.split(",") if text else ():
        key, _, value = option.partition("=")
        number = _simulations(value) if key == "simulations" else None
        if key == "rating" and re.fullmatch(r"\d{1,5}(\.\d{1,3})?", value):
            number = float(value)
        if number is None or key in found:
            raise UserError(
                f"{spec!r:.99}: {option!r:.50} is not simulations=N{_UP_TO}, nor rating=R"
            )
        found[key] = number
    return found


def _simulations(text: str) -> int | None:
    return whole_number(text, most=SIMULATIONS)


def champion(where: Run) -> int:
    """The snapshot that the last gate promoted; raises UserError if none has."""
    with where.results() as results:
        promoted = Lineage(results).champions()
    if not promoted:
        raise UserError(f"run {where.name!r} has no champion yet: arena gate {where.name}")
    return promoted[-1]


def agent(spec: str, rules: Game | None) -> tuple[Game, Agent | HostAgent]:
    """An agent, and the game that it plays.

    Args:
      spec: as a user types it.
      rules: the game to be played, if that is settled already.

    Raises:
      UserError: there is no such agent, or it plays another game.
    """
    if spec.partition(":")[0] == pretrained.KIND:
        return _pretrained(spec, rules)
    if not is_run(spec):
        if rules is None:
            raise AnyGame(f"{spec} plays any game: name a snapshot on the other side, or --game")
        return rules, registry.make(spec, rules)
    _check_there(spec)
    place, _, text = spec.partition(",")
    options = _options(spec, text)
    where, number = _found(spec, place)
    simulations, rating = int(options.get("simulations", 0)), options.get("rating")
    if rules is None or where.game == rules:
        agent = where.agent(number, simulations=simulations, name=spec, rating=rating)
        return where.game, agent
    if where.game.on_device or not rules.on_device:
        hint = "" if rules.on_device else "; in a native port of the env it may: --game PORT"
        raise UserError(f"{spec} does not play the same game{hint}")
    from league.evaluation import ported  # which loads PettingZoo

    if rating is not None:
        raise UserError(f"{spec}: a rating is known in the run's own game alone")
    policy = ported.policy(where, rules, simulations)
    return rules, Agent(spec, policy, where.weights(number))


def beginning(spec: str, rules: Game) -> InitialWeights | ImportedGames | None:
    """What training begins with: weights, or games to imitate; None for random weights.

    Args:
      spec: `RUN[:ID]` or `pretrained:GAME`, or a dataset FILE.npz; random weights if empty.
      rules: the game that will be trained.

    Raises:
      UserError: there is no such thing, or it is of another game.
    """
    if not spec:
        return None
    if spec.endswith(".npz"):
        return imported_games.read(Path(spec), rules)
    return initial_weights(spec, rules)


def initial_weights(spec: str, rules: Game) -> InitialWeights:
    """The weights of a snapshot, or of a net that comes with Arena, for training to go on from.

    Args:
      spec: `RUN[:ID]` or `pretrained:GAME`.
      rules: the game that will be trained.

    Raises:
      UserError: there are no such weights, or they play another game.
    """
    if "," in spec or not searches(spec):
        raise UserError(
            f"{spec!r:.99} has no weights: --from takes RUN, RUN:ID, pretrained:GAME or FILE.npz"
        )
    if spec.partition(":")[0] == pretrained.KIND:
        net = pretrained.read(spec)
        game, config, params = net.game, net.config, net.params
    else:
        _check_there(spec)
        where, number, _ = snapshot(spec)
        _check_plain(where)
        game, config, params = where.game, where.config.learner, where.weights(number)
        spec = f"{where.name}:{number}"
        where.close()
    # Of a native game another size will do, where the network has weights for any.
    if game != rules and not (rules.on_device and type(game) is type(rules)):
        raise UserError(f"{spec} does not play the same game")
    return InitialWeights(spec, learners.name_of(config), config.network, params)


def _check_plain(where: Run) -> None:
    """Raises UserError if a run's network is told of ratings, which others have no input for."""
    if where.rating_scale is not None:
        raise UserError(
            f"the network of {where.name!r} is told of ratings: it goes on with --resume"
        )


def _check_there(spec: str) -> None:
    """Raises UserError if no run has this name, and says what plays without one."""
    name = spec.partition(",")[0].partition(":")[0]
    if not name or "/" in name or name.startswith(".") or (RUNS / name).is_dir():
        return
    nets = ", ".join(f"{pretrained.KIND}:{x.removesuffix('.npz')}" for x in pretrained.files())
    hint = f"; there are {nets}, uniform and mcts:100, too" if nets else ""
    raise UserError(f"there is no run {name!r} in {RUNS}{hint}")


def _pretrained(spec: str, rules: Game | None) -> tuple[Game, Agent]:
    """The agent `pretrained:GAME[,simulations=N]`."""
    place, _, option = spec.partition(",simulations=")
    simulations = _simulations(option or "0")
    if simulations is None:
        raise UserError(f"{spec!r:.99}: simulations must be a number{_UP_TO}, not {option!r:.50}")
    game, agent = pretrained.load(place, simulations)
    if rules is not None and game != rules:
        raise UserError(f"{spec} does not play the same game")
    return game, agent


def searches(spec: str) -> bool:
    """Whether the name means a network, after which `,simulations=N` may stand."""
    return is_run(spec) or spec.partition(":")[0] == pretrained.KIND


def is_run(spec: str) -> bool:
    """Whether a name means a run, there or not, rather than an agent that needs none."""
    kind = spec.partition(":")[0].partition(",")[0]
    if kind == pretrained.KIND or registry.exists(kind):
        return False
    if (RUNS / kind).is_dir():
        return True
    place, name = extensions.split(spec)
    outside = name.isidentifier() and ("." in place or _importable(place))
    return not outside


def _importable(kind: str) -> bool:
    return kind.isidentifier() and importlib.util.find_spec(kind) is not None
