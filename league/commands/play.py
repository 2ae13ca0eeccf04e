"""Play against a snapshot or another agent yourself."""

import dataclasses
import io
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import jax
import tyro

from agents.policies import SearchPolicy
from arena.errors import check_seed
from arena.play import host_loop, records
from arena.play.session import Session
from arena.types import Agent, Forfeit, HostAgent, as_host_game
from games import Game
from league.cli import closing, console, device, interrupts, names, person, recording
from league.settings import game_names


@dataclass(frozen=True)
class Command:
    """Play against a snapshot, or another agent, in the terminal.

    Type moves, or help, moves, hint, undo, resign or quit.

    Attributes:
      agent: RUN, RUN:ID or pretrained:GAME, which search 32 simulations a move unless
        `,simulations=N` says otherwise; or uniform, mcts:100, gnugo:level=1, and the like.
      game: what is played; a snapshot says it by itself.
      seat: who begins: you (first), or the agent (second).
      seed: of dice, cards, and agents that play at random.
      record: a .pgn, .sgf or .jsonl file, to which the game is added, finished or not.
      json: print the result as one JSON object; the board goes to stderr.
    """

    agent: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="AGENT")]
    game: str = ""
    seat: Literal["first", "second"] = "first"
    seed: int = 0
    record: Path | None = None
    json: bool = False


def run(command: Command) -> None:
    """Plays one game and prints its result."""
    device.prepare()
    game, agent = _opponent(command)
    if command.record:
        records.check_writable(command.record, game)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    mine = ("first", "second").index(command.seat)
    session = Session(game, seed=command.seed)
    key = jax.random.key(command.seed)
    opponent = host_loop.hosted(agent, jax.random.fold_in(key, 0))
    # Another one, so that hints change no later move.
    adviser = host_loop.hosted(agent, jax.random.fold_in(key, 1))
    left = "quit"
    try:
        with interrupts.closing_line(_last_words(command)), closing.seated(agent):
            left = _play(session, opponent, adviser, mine)
    finally:
        if command.record and session.record.labels:
            _keep(command.record, session, agent, mine=mine, left=left)
    _print_result(command, session, agent.name, mine, left)


def _play(session: Session, opponent: HostAgent, adviser: HostAgent, mine: int) -> str:
    """Plays until the game is over; `resign` or `quit` if the person has left it before."""
    outside = as_host_game(session.game)
    seat = f", {outside.seats[mine]}" if outside else ""
    person.tell(f"You play {('first', 'second')[mine]}{seat}; help lists what can be typed.")
    while not session.over:
        if session.seat != mine:
            move = opponent.choose(session.game, session.position)
            host_loop.check_legal(opponent, move, session.legal)
            label = session.label(move) if session.game.perfect_information else ""
            session.push(move)
            person.tell(f"{opponent.name} plays {label}".rstrip())
            continue
        _show(session, session.view(mine))
        answer = person.ask(session, lambda: _hint(session, adviser))
        if isinstance(answer, int):
            session.push(answer)
        elif answer == "undo":
            try:
                person.take_back(session, mine)
            except ValueError as error:
                person.tell(str(error))
        else:
            return answer
    return ""


def _last_words(command: Command) -> str:
    return f"the game is in {command.record}" if command.record else "the game is not kept"


def _keep(path: Path, session: Session, agent: Agent | HostAgent, *, mine: int, left: str) -> None:
    """Writes the game down; if the person resigned, the agent has won, else it has no result."""
    players = [recording.player(agent), recording.PERSON]
    resigned = left == "resign"
    kept = records.saved(
        session.record,
        game_names.name_of(session.game),
        players if mine else players[::-1],
        result=(1.0 if mine else -1.0) if resigned else None,
        termination=records.RESIGNED if resigned else records.LEFT,
    )
    records.append_games(path, [kept], load=game_names.load)


def _hint(session: Session, adviser: HostAgent) -> str:
    """What the opponent would play here."""
    try:
        move = adviser.choose(session.game, session.position)
        host_loop.check_legal(adviser, move, session.legal)
    except Forfeit as error:
        return str(error)
    return f"{adviser.name} would play {session.label(move)}"


def _show(session: Session, text: str) -> None:
    """Shows a position; what an env paints goes into a file, the same one all the time."""
    lines = [text]
    if session.picture:
        _picture_file().write_bytes(session.picture)
        lines.insert(0, f"picture: {_picture_file()}")
    person.tell("\n" + "\n".join(filter(None, lines)) + "\n")


@cache
def _picture_file() -> Path:
    """Where the picture of the position is, one file for the whole game."""
    return Path(tempfile.mkdtemp(prefix="arena-")) / "position.png"


def _print_result(command: Command, session: Session, name: str, mine: int, left: str) -> None:
    game, labels = session.game, session.record.labels
    payoff = -1.0 if left == "resign" else None
    if session.result is not None:
        payoff = session.result if mine == 0 else -session.result
        shown = session.view(mine) if game.perfect_information else game.show(session.state)
        _show(session, shown)
    if command.json:
        found = {"against": name, "payoff": payoff, "resigned": left == "resign"}
        console.emit({**found, "moves": list(labels)})
        return
    outcome = "no result" if payoff is None else "a draw"
    if payoff:
        outcome = "you win" if payoff > 0 else "you lose"
    print(f"{outcome}  ({' '.join(labels)})")


def _opponent(command: Command) -> tuple[Game, Agent | HostAgent]:
    """The game and the agent; a snapshot searches unless its name says `simulations=0`."""
    check_seed(command.seed)
    rules = names.game(command.game) if command.game else None
    spec = command.agent
    if names.searches(spec) and "simulations=" not in spec:
        game, _ = names.agent(spec, rules)
        spec += ",simulations=32" if game.searchable else ""
    game, agent = names.agent(spec, rules)
    if isinstance(agent, Agent) and isinstance(agent.policy, SearchPolicy):
        quick = dataclasses.replace(agent.policy, quickest=True)
        agent = dataclasses.replace(agent, policy=quick)
    return game, agent
