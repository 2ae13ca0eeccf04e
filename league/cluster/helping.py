"""The process of a host that helps another; `arena join` starts it, anew if it is lost.

JAX ends a process whose coordinator is gone, so it is one of its own.
"""

import os
import sys
import threading

import jax

from arena import extensions, host_calls, hosts
from arena.errors import UserError
from league.cli import device, interrupts
from league.store import card as cards

JOINED = "joined"
"""What it says when it has met the others."""


def main(rendezvous: str, index: str) -> int:
    """Helps until nothing is left to do; the exit code."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        device.prepare()
        where = hosts.Rendezvous.parse(rendezvous)
        hosts.connect(where, int(index) if index else None, leads=False, about=alike)
        print(JOINED, file=sys.stderr, flush=True)
        if hosts.index() == 0:
            raise UserError("host 0 leads: `arena train ... --hosts` is its command")
        host_calls.help_out()
    except hosts.HostLostError:
        return hosts.LOST
    except KeyboardInterrupt:
        return interrupts.CODE
    except Exception as error:
        text = str(error) if isinstance(error, UserError) else extensions.reason(error)
        print(f"arena: {text}", file=sys.stderr, flush=True)
        return 2
    return 0


def alike() -> str:
    """What has to be the same on all hosts, so that any of them computes the same bits."""
    found = cards.circumstances()
    told = {"devices": jax.local_device_count(), "kind": found["device"]}
    told |= {"threads": found["threads"], "revision": found["revision"], **found["versions"]}
    return ", ".join(f"{key} {value}" for key, value in told.items())


def _follow_parent() -> None:
    """Ends this process when the one that started it has ended."""
    sys.stdin.read()
    os._exit(hosts.LOST)


if __name__ == "__main__":
    with interrupts.listening():
        code = main(*sys.argv[1:])
    os._exit(code)  # JAX would wait for hosts that have ended
