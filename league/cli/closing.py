"""Players from outside the device: what ends their processes, and says why one gave up."""

from collections.abc import Iterator
from contextlib import contextmanager

from arena.errors import UserError
from arena.types import Agent, Forfeit, HostAgent


@contextmanager
def seated(*agents: Agent | HostAgent) -> Iterator[None]:
    """Around all that agents play; then those that are guests are seen off.

    Raises:
      UserError: one of them could not go on, or broke the rules.
    """
    try:
        yield
    except Forfeit as error:
        raise UserError(str(error)) from None
    finally:
        for agent in agents:
            if isinstance(agent, HostAgent):
                agent.close()
