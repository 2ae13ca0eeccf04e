"""Help another host learn."""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Annotated

import tyro

from arena import hosts, interrupt
from arena.errors import UserError
from league.cli import console
from league.cluster import helping

_LOOK = 0.1  # seconds between two looks at whether it has ended
_PAUSE = 2.0  # seconds before it is started anew


@dataclass(frozen=True)
class Command:
    """Help a training on another host learn: compute a share of every gradient.

    The training is started with the same --hosts. This command ends with it; if it is lost, it is
    waited for, up to five minutes.

    Attributes:
      rendezvous: where hosts meet and how many they are, the one that leads included; or auto, if
        Slurm, Open MPI or Kubernetes tells.
      host: which of them this is, from 1.
    """

    rendezvous: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="HEAD:PORT,COUNT|auto")]
    host: int | None = None


def run(command: Command) -> None:
    """Helps until the training is over."""
    rendezvous = hosts.Rendezvous.parse(command.rendezvous)
    if rendezvous.address and not (command.host and 0 < command.host < rendezvous.count):
        raise UserError(f"--host must be from 1 to {rendezvous.count - 1}: host 0 leads")
    if command.host is not None and not rendezvous.address:
        raise UserError("with auto the scheduler tells which host this is: leave --host away")
    while True:
        code, said = _helped(rendezvous, command.host)
        if code == 0:
            console.stderr.print("the training has ended")
            return
        if code < 0 and helping.JOINED not in said:  # JAX ends it where it has waited in vain
            raise UserError(f"hosts {rendezvous} have not met within five minutes")
        if code == 1:
            raise UserError(said[-1] if said else "the process that helps has failed")
        if code == 2:
            raise UserError(said[-1].removeprefix("arena: "))
        console.stderr.print("a host was lost; waiting for the one that leads to go on")
        interrupt.check()
        time.sleep(_PAUSE)


def _helped(rendezvous: hosts.Rendezvous, host: int | None) -> tuple[int, list[str]]:
    """What a process that helps ended with, and the lines that it said."""
    index = "" if host is None else str(host)
    # -P: no file of the folder that it is started in may stand in for one of ours.
    arguments = [sys.executable, "-P", "-m", helping.__name__, str(rendezvous), index]
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        ) as process:
            try:
                while (code := process.poll()) is None:
                    interrupt.check()
                    time.sleep(_LOOK)
            finally:
                process.kill()
        said.seek(0)
        return code, said.read().splitlines()
