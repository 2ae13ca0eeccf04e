"""The process of a host that helps another; `arena join` starts it, anew if it is lost.

JAX ends a process whose coordinator is gone, so it is one of its own.
"""

import os
import sys
import threading

from arena import extensions, host_calls, hosts
from arena.errors import UserError
from league.cli import device, interrupts

LOST = 75
"""Its exit code where a host was lost, so that it may be worth while to try again."""


def main(meeting: str, index: str) -> int:
    """Helps until nothing is left to do; the exit code."""
    threading.Thread(target=_follow_parent, daemon=True).start()
    device.prepare()
    try:
        hosts.connect(hosts.Meeting.parse(meeting), int(index) if index else None)
        if hosts.index() == 0:
            raise UserError("host 0 leads: `arena train ... --hosts` is its command")
        host_calls.help_out()
    except hosts.HostLostError:
        return LOST
    except KeyboardInterrupt:
        return interrupts.CODE
    except Exception as error:
        text = str(error) if isinstance(error, UserError) else extensions.reason(error)
        print(f"arena: {text}", file=sys.stderr, flush=True)
        return 2
    return 0


def _follow_parent() -> None:
    """Ends this process when the one that started it has ended."""
    sys.stdin.read()
    os._exit(LOST)


if __name__ == "__main__":
    with interrupts.listening():
        code = main(*sys.argv[1:])
    os._exit(code)  # JAX would wait for hosts that have ended
