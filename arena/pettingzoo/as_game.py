"""A PettingZoo env as a game of Arena.

The device never holds the env. A position is what the seat to move observes, so that networks,
policies and learners work on it as on any other; the games themselves live in worker processes.
While one waits for a move, it can be searched: `step` calls back from the device, and a worker
answers with a copy that has moved on.
"""

import base64
import dataclasses
import html
import io
import re
from dataclasses import dataclass
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from arena.pettingzoo import match_loop
from arena.pettingzoo.env_games import EnvGames
from arena.pettingzoo.env_state import EnvOpenings, EnvState, state_template
from arena.pettingzoo.planes import as_planes
from arena.pettingzoo.spec import EnvSpec
from arena.pettingzoo.state_copies import NO_GAME, step_copies
from arena.pettingzoo.worker import PLAYOUT
from arena.pettingzoo.worker_pool import WorkerPool, check_env, pool_of
from arena.play.device_loop import Match, Played
from arena.types import DescribedGames, HostGame, Key, Params
from games import OVER, Facts

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f]")  # of terminals; XML has none


@dataclass(frozen=True)
class ImportedGame(HostGame):
    """The game that an env plays.

    Attributes:
      name: as a user types it.
      spec: what a check has found.
    """

    name: str
    spec: EnvSpec
    facts = Facts()

    def __post_init__(self):
        # Frozen: what follows from the fields is set past the guard, once.
        for key, value in {
            "num_actions": self.spec.num_actions,
            "max_plies": self.spec.max_plies,
            # Of the longest game that the check has seen; `max_plies` may be far above it.
            "typical_plies": self.spec.longest_game,
            "max_payoff": self.spec.max_payoff,
            "perfect_information": not self.spec.hidden_or_chance,
        }.items():
            object.__setattr__(self, key, value)

    @property
    def pool(self) -> WorkerPool:
        """Its workers, one for each core; they start at the first match."""
        return pool_of(self.name, self.spec)

    @property
    def searchable(self) -> bool:
        """Whether it hides nothing, leaves nothing to chance, and its copies behave alike."""
        return self.perfect_information and self.spec.copyable

    def template(self) -> EnvState[jax.ShapeDtypeStruct]:
        """Shapes and types of a position without a handle."""
        return state_template(self.spec)

    def mover(self, state: EnvState[jax.Array]) -> jax.Array:
        """The seat to move, or OVER."""
        return state.mover

    def legal(self, state: EnvState[jax.Array]) -> jax.Array:
        """Its moves."""
        return state.legal

    def step(self, state: EnvState[jax.Array], move: jax.Array) -> EnvState[jax.Array]:
        """The position after a move i32[], made in a copy of the position's game, in a worker.

        Raises:
          ValueError: the position has no handle, since its game has gone on.
        """
        return self._step_copy(state, move, jnp.uint32(0))

    def playout(self, key: Key, state: EnvState[jax.Array]) -> EnvState[jax.Array]:
        """The end of a copy of the position's game, in which all moves are made at random."""
        return self._step_copy(state, jnp.int32(PLAYOUT), jax.random.bits(key))

    def _step_copy(
        self, state: EnvState[jax.Array], request: jax.Array, seed: jax.Array
    ) -> EnvState[jax.Array]:
        """An illegal move, and any move in an ended game, give an ended game, and cost nothing.

        A search makes such moves where a simulation has found nothing new.
        """
        if isinstance(state.handle, tuple):
            raise ValueError(f"{self.name} moves in its env alone, where this game has gone on")
        legal = (state.mover != OVER) & ((request == PLAYOUT) | state.legal[request])
        handle = jnp.where(legal, state.handle, NO_GAME)
        # The device waits for what comes back, so one call is answered after the other.
        like = self.template()._replace(handle=jax.ShapeDtypeStruct(handle.shape, handle.dtype))
        call = partial(step_copies, self.pool)
        return jax.pure_callback(call, like, handle, request, seed, vmap_method="broadcast_all")

    def payoff(self, state: EnvState[jax.Array]) -> jax.Array:
        """Seat 0's, f32[], cut to the largest payoff of the spec."""
        return jnp.clip(state.payoff, -self.max_payoff, self.max_payoff)

    def observe(self, state: EnvState[jax.Array], seat: jax.Array) -> jax.Array:
        """What the mover observes, as planes f32[H, W, C] or as a vector f32[N].

        Where both agents observe the same, a last plane, or entry, is the seat.
        """
        return self.planes(state.observation, seat)

    def planes(self, observation: jax.Array, seat: jax.Array) -> jax.Array:
        """As `observe`, of what is kept of a position, see `EnvState.observation`."""
        seen = as_planes(self.spec, observation)
        if self.spec.add_seat:
            whose = jnp.broadcast_to(seat.astype(jnp.float32), (*seen.shape[:-1], 1))
            seen = jnp.concatenate([seen, whose], -1)
        return seen

    def as_given(self, state: EnvState[jax.Array]) -> jax.Array:
        """The mover's observation [...] as the env gives it, of a position or of several."""
        if self.spec.window == 1:
            return state.observation
        return jnp.take(state.observation, -1, axis=-len(self.spec.kept_shape))

    def show(self, state: EnvState[jax.Array]) -> str:
        """What the mover sees, in figures: a board's planes side by side."""
        newest = dataclasses.replace(self.spec, window=1)
        seen = np.asarray(as_planes(newest, jnp.asarray(self.as_given(state))))
        if seen.ndim == 1:
            return " ".join(f"{x:g}" for x in seen)
        used = [plane for plane in np.moveaxis(seen, -1, 0) if plane.any()][:8]
        rows = (
            "   ".join(" ".join(f"{x:g}" if x else "." for x in plane[y]) for plane in used)
            for y in range(seen.shape[0])
        )
        return "\n".join(rows)

    def draw(self, state: EnvState[jax.Array]) -> str:
        """The same as a picture."""
        return _drawn(self.show(state))

    @property
    def seats(self) -> tuple[str, str]:
        """The names of the agents."""
        return self.spec.agents

    def draw_described(self, games: DescribedGames, n: int) -> str:
        """What the env renders of a game, text or picture, as an SVG picture."""
        found = games.describe(n)
        if found.picture:
            return _embedded(found.picture)
        return _drawn(found.text) if found.text else self.draw(games.position(n).state)

    def view(self, state: EnvState[jax.Array], seat: int) -> str:
        """What one seat sees: a position holds nothing else."""
        moves = " ".join(map(str, np.flatnonzero(np.asarray(state.legal)).tolist()))
        return f"{self.show(state)}\nmoves: {moves}"

    def label(self, state: EnvState[jax.Array], move: int) -> str:
        """The move's number."""
        return str(move)

    def parse(self, state: EnvState[jax.Array], text: str) -> int:
        """A legal move's number."""
        word = text.strip()
        move = int(word) if word.isdecimal() and word.isascii() else -1
        if not (0 <= move < self.num_actions and state.legal[move]):
            raise ValueError(f"{word!r} is no legal move: type one of the numbers")
        return move

    def openings(self, key: Key, shape: tuple[int, ...], plies: int) -> EnvOpenings:
        """A seed each; the moves are drawn by the workers."""
        seed = jax.random.randint(key, shape, 0, 2**31 - 1)
        return EnvOpenings(seed, jnp.full(shape, plies))

    def play(
        self,
        match: Match,
        params_a: Params,
        params_b: Params,
        *,
        keys: Key,
        openings: EnvOpenings,
    ) -> Played:
        """See `arena.pettingzoo.match_loop.play`."""
        return match_loop.play(self.pool, match, params_a, params_b, keys=keys, openings=openings)

    def deal(self, key: Key, count: int, plies: int, times: int = 1) -> EnvGames:
        """`count` games, and these `times` over: game n once more at count + n, and so on."""
        seeds = np.asarray(self.openings(key, (count,), plies).seed)
        return EnvGames(self.pool, seeds=np.tile(seeds, times), plies=plies)

    @property
    def voided(self) -> int:
        """Games that the env failed to finish, or that were lost with a worker."""
        return self.pool.voided


def _drawn(text: str) -> str:
    """A text as an SVG picture."""
    lines = [html.escape(line) for line in _ESCAPES.sub("", text).split("\n")]
    width, height = 9.6 * max(map(len, text.split("\n"))) + 16, 18 * len(lines) + 16
    rows = "".join(
        f'<text x="8" y="{22 + 18 * y}" xml:space="preserve">{line}</text>'
        for y, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" '
        f'font-family="monospace" font-size="16">{rows}</svg>'
    )


def _embedded(picture: bytes) -> str:
    """A PNG as an SVG picture."""
    width, height = Image.open(io.BytesIO(picture)).size
    data = base64.b64encode(picture).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    )


@cache
def load(name: str) -> ImportedGame:
    """The game that `pettingzoo:…` means, after a check.

    Raises:
      EnvError: there is no such env, or it breaks the contract.
    """
    return ImportedGame(name, check_env(name))
