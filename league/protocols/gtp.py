"""A server of the Go Text Protocol, version 2, for any agent.

G. Farnebäck, "Specification of the Go Text Protocol, version 2, draft 2"
(lysator.liu.se/~gunnar/gtp); with the commands of GoGui, Leela Zero and Sabaki. The main thread
reads; a second one answers command after command, and a third loads the agent at the start.
"""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from league.protocols.gtp_commands import CommandError
from league.protocols.gtp_thinking import Commands
from league.protocols.streams import Write
from league.protocols.worker import Worker

_INTERRUPT = "# interrupt"
"""A comment by which GoGui ends a search."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Line:
    """A command.

    Attributes:
      number: by which the client knows the answer; "" if it has none.
      name: of the command.
      arguments: of it.
    """

    number: str
    name: str
    arguments: tuple[str, ...]


def parse(text: str) -> Line | None:
    """Reads a line; None if nothing but white space or a comment is in it."""
    text = _CONTROLS.sub("", text.partition("#")[0].replace("\t", " "))
    words = text.split()
    number = words.pop(0) if words and words[0].isdecimal() else ""
    if not words:
        return None
    return Line(number, words[0], tuple(words[1:]))


class Server:
    """Answers a client.

    Args:
      commands: what it can be asked for.
      write: writes lines to the client.
    """

    def __init__(self, commands: Commands, *, write: Write):
        self._commands, self._write = commands, write
        self._worker = Worker()

    def serve(self, lines: Iterable[str]) -> None:
        """Answers lines in their order until `quit`, or until there are no more."""
        self._commands.prepare()
        end = None
        for text in lines:
            # Any input ends an analysis; a search for a move goes on.
            inputs = self._commands.interrupt(thinking=text.strip().lower() == _INTERRUPT)
            line = parse(text)
            if line is None:
                continue
            if line.name == "quit":
                end = line
                break
            self._worker.do(partial(self._answer, line, inputs))
        self._commands.interrupt()
        self._worker.close(wait=True)
        if end is not None:
            self._write(f"={end.number}\n")
        self._commands.close()

    def _answer(self, line: Line, inputs: int) -> None:
        stream = Stream(self._write, line.number)
        try:
            text = self._commands.answer(line.name, line.arguments, stream, inputs)
        except CommandError as error:
            self._write(f"?{line.number} {' '.join(str(error).split())}\n")
        except Exception as error:
            self._commands.report(error)
            self._write(f"?{line.number} {' '.join(str(error).split()) or 'failed'}\n")
        else:
            if stream.begun:
                self._write("" if not text else f"{text}\n")
            else:
                self._write(f"={line.number} {text}".rstrip(" ") + "\n")


class Stream:
    """An answer of several lines that are written one by one.

    Args:
      write: writes lines to the client.
      number: of the command.

    Attributes:
      begun: something has been written.
    """

    def __init__(self, write: Write, number: str):
        self._write, self._number, self.begun = write, number, False
        self._lock = threading.Lock()

    def __call__(self, text: str) -> None:
        """Writes one line of the answer, and before it the answer's head."""
        with self._lock:
            head = "" if self.begun else f"={self._number}\n"
            self.begun = True
            self._write(head + text)

    def head(self) -> None:
        """Writes the answer's head, if nothing has been written."""
        with self._lock:
            if not self.begun:
                self.begun = True
                self._write(f"={self._number}")
