"""The command `arena`: finds the command's file, reads its arguments, reports what goes wrong.

Nothing is imported from the other rooms before a command is chosen, so that help comes at once.
"""

import contextlib
import importlib
import io
import itertools
import os
import sys
from types import ModuleType

from league.cli.rooms import check_rooms_or_exit

check_rooms_or_exit()  # before anything is imported from the other rooms

from arena import extensions, interrupt  # noqa: E402
from arena.errors import UserError  # noqa: E402
from league.cli import interrupts  # noqa: E402

COMMANDS = {
    "games": "list the games",
    "check": "whether a PettingZoo env can be played: arena check pettingzoo:./my_game.py",
    "verify": "play a native game side by side with the PettingZoo env that it ports",
    "train": "train a league: arena train connect_four",
    "join": "help a training on another host learn",
    "status": "what a run is doing, and the actors that play for it: arena status RUN",
    "rate": "play more matches among a run's snapshots and print their ratings",
    "gate": "decide whether a newer snapshot may be the run's champion",
    "match": "play two agents against each other: arena match RUN:16 mcts:100",
    "play": "play against a snapshot or another agent yourself",
    "replay": "show a game of a PGN, SGF or JSONL file",
    "serve": "the same and more in a browser: play, analyse, watch, follow leagues",
    "uci": "serve an agent to chess programs: arena uci RUN:16",
    "gtp": "serve an agent to go programs: arena gtp RUN:16",
    "mcp": "games as tools of the Model Context Protocol",
    "accuracy": "how many of its moves are optimal, by exact values",
    "exploit": "how much a snapshot loses to an opponent made to beat it",
    "data": "import games of others, or show what a generation learnt from",
    "lab": "experiments: when does self-improvement work, and how does it break",
    "judge": "learn who won from comparisons, or ask people: arena judge train, arena judge ask",
    "report": "write a run's report.html",
    "compare": "several runs, or seeds of one, in one page",
    "doctor": "why a run learns nothing",
    "export": "write a snapshot into one small file",
}

_HELP = """\
usage: arena COMMAND [...]

A self-play arena for two-player zero-sum games.

{commands}

Agents are RUN:ID (a snapshot), RUN:ID,simulations=32 (the same with search), pretrained:GAME,
uniform, mcts:100, stockfish:nodes=1,skill=0, gnugo:level=1, gnubg:plies=0,
openspiel_mcts:100, and policy:./mine.py (a function policy(observation, mask), or a model that
predicts).
Runs lie in ./runs. Every command takes --help, and --json for output that programs read.
"""


def main(argv: list[str] | None = None) -> None:
    """Runs one command and exits.

    0 done, 1 a fault of ours (or what `verify` looks for: a difference), 2 wrong input, 130
    interrupted.
    """
    arguments = sys.argv[1:] if argv is None else argv
    _prepare_streams()
    if not arguments or arguments[0] in ("-h", "--help"):
        lines = "\n".join(f"  {name:8} {text}" for name, text in COMMANDS.items())
        print(_HELP.format(commands=lines), end="")
        raise SystemExit(0)
    with interrupts.listening():
        _run_or_exit(arguments)


def _prepare_streams() -> None:
    """Has standard input and output be there, and take any text.

    Where one was closed, the next file that is opened, a database say, would have its number, and
    get what libraries print. What a terminal's encoding lacks is printed as a question mark.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run_or_exit(arguments: list[str]) -> None:
    try:
        _run(arguments[0], arguments[1:])
        sys.stdout.flush()  # what cannot be written is told of here, not at the end of Python
        interrupt.check()
    except UserError as error:
        _fail(str(error), 2)
    except KeyboardInterrupt as stop:
        _fail("; ".join(["interrupted", *map(str, stop.args)]), interrupts.CODE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}", 2)
    except Exception as error:
        if "ARENA_TRACEBACK" in os.environ:
            raise
        if _out_of_memory(error):
            _fail(f"this takes more memory than there is: {error}", 2)
        if extensions.users_frame(error):
            _fail(f"{extensions.reason(error)} (ARENA_TRACEBACK=1 shows more)", 2)
        _fail(f"internal error: {type(error).__name__}: {error} (ARENA_TRACEBACK=1 shows where)", 1)


def _out_of_memory(error: Exception) -> bool:
    """Whether NumPy or XLA could not get the memory for an array."""
    return isinstance(error, MemoryError) or any(
        text in str(error) for text in ("RESOURCE_EXHAUSTED", "Out of memory")
    )


def _fail(message: str, code: int) -> None:
    print("arena: " + " ".join(message.split()), file=sys.stderr)
    raise SystemExit(code)


def _run(name: str, arguments: list[str]) -> None:
    if name not in COMMANDS:
        raise UserError(f"there is no command {name!r}; there are: {', '.join(COMMANDS)}")
    module = importlib.import_module(f"league.commands.{name}")
    interrupt.check()
    if not {"--help", "-h"}.isdisjoint(arguments):
        _parse(module, name, arguments)
    from league.cli import console

    with console.results_only() if "--json" in arguments else contextlib.nullcontext():
        try:
            if hasattr(module, "prepare"):
                module.prepare(arguments)
            command = _parse(module, name, arguments)
            interrupt.check()
            code = module.run(command)
        except SystemExit as stop:
            text = extensions.reason(stop)
            raise UserError(f"code from outside arena called sys.exit: {text}") from None
    if code:
        raise SystemExit(code)


def _parse(module: ModuleType, name: str, arguments: list[str]) -> object:
    """Reads the arguments; tyro's boxed complaints become one line."""
    import tyro

    default = {"default": module.default(arguments)} if hasattr(module, "default") else {}
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                module.Command,
                args=arguments,
                prog=f"arena {name}",
                **default,
                config=(tyro.conf.AvoidSubcommands,),
            )
    except SystemExit as stop:
        if stop.code != 2:
            raise
    raise UserError(f"{name}: {_first_part(complaint.getvalue())} (see arena {name} --help)")


def _first_part(box: str) -> str:
    """The complaint in a box of tyro's: what stands below its title, up to the next rule.

    The box is drawn with lines, or with dashes where stdout cannot take lines.
    """
    lines = [line.strip("│ ") for line in box.splitlines()[1:]]
    body = list(itertools.dropwhile(_is_rule, lines))
    end = next((i for i, line in enumerate(body) if _is_rule(line)), len(body))
    return " ".join(filter(None, body[:end]))


def _is_rule(line: str) -> bool:
    return bool(line) and set(line) <= set("─-╭╮╰╯")
