"""A person at the terminal, who types moves, and words such as `undo`."""

import sys
import textwrap
from collections.abc import Callable

from arena import interrupt
from arena.errors import UserError
from arena.play.session import Session

WORDS = {
    "help": "this list",
    "moves": "all legal moves",
    "hint": "what your opponent would play here",
    "undo": "take your last move back, and what followed it",
    "resign": "give the game up",
    "quit": "leave the game without a result",
}
"""What can be typed in place of a move; a move of the same name comes first."""

ANSWERED = ("undo", "resign", "quit")
"""Those of them that `ask` returns."""

_PATIENCE = 100  # answers in a row that mean nothing, after which none is expected any more
_WIDTH = 96


def tell(text: str) -> None:
    """Prints a line, or several, to stderr: stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


def ask(session: Session, hint: Callable[[], str]) -> int | str:
    """Reads lines until one says how to go on.

    Args:
      session: the game; a seat is to move.
      hint: gives the answer to the word `hint`.

    Returns:
      the number of a legal move, or one of `ANSWERED`.

    Raises:
      UserError: the input has ended, or nothing in it means anything.
    """
    for _ in range(_PATIENCE):
        print("your move: ", end="", file=sys.stderr, flush=True)
        try:
            with interrupt.at_once():
                line = sys.stdin.readline()
        except KeyboardInterrupt:
            tell("")  # the prompt's line ends
            raise
        if not line:
            raise UserError("the game was left before its end")
        try:
            return session.parse(line)
        except ValueError as error:
            word = line.strip().lower()
            if word in ANSWERED:
                return word
            tell(_answer(session, word, hint) or str(error))
    raise UserError(f"the game was left: {_PATIENCE} answers in a row were no moves")


def _answer(session: Session, word: str, hint: Callable[[], str]) -> str:
    """What to say to one of `WORDS`; "" if it is none."""
    if word == "help":
        width = max(map(len, WORDS))
        lines = [f"{name:{width}}  {what}" for name, what in WORDS.items()]
        example = next(iter(session.legal_moves))
        return "\n".join([f"Type a move, such as {example}, or a word:", *lines])
    if word == "moves":
        return textwrap.fill(" ".join(session.legal_moves), _WIDTH, break_on_hyphens=False)
    return hint() if word == "hint" else ""


def take_back(session: Session, seat: int) -> None:
    """Undoes the last move of a seat, and all that followed it.

    Raises:
      ValueError: the seat has not moved yet, or the game takes nothing back; in one line.
    """
    if seat not in session.record.movers:
        raise ValueError("you have not moved yet")
    session.undo()
    while session.seat != seat:
        session.undo()
