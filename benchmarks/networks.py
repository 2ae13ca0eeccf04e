"""How fast a tower of 3×3 convolutions is on a CPU, by how it is written.

    python -m benchmarks.networks --cores 2 --batches 64 256

A tower of `channels` × 2 `blocks` convolutions over Connect Four's 6×7 cells, without heads: `conv`
is XLA's convolution, as `agents/nn/networks.py` uses it; `bfloat16` the same at half precision;
`im2col` one matrix product of gathered neighbourhoods; `shift` nine matrix products of the shifted
board; `toeplitz` the board as one vector and each layer as one dense matrix; `winograd` products of
2×2 tiles, F(2×2, 3×3) of A. Lavin and S. Gray (CVPR 2016). `forward` evaluates; `gradient` also
goes back. With several cores each has an XLA device of its own and a share of the batch, as in
training and in matches. All forms agree with `conv`, or the program stops.

Prints one JSON line a figure: boards per second, and the arithmetic of the plain sum per second
(twice nine products an output, three times as much with the gradient).
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from jax.sharding import Mesh, PartitionSpec

from benchmarks.games import processor

_HEIGHT, _WIDTH = 6, 7


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
      forms: how a convolution is written.
      batches: boards at once, on all cores together.
      channels: of every layer.
      blocks: of two layers each.
      cores: how many to use, the first that this process may use.
      rounds: how often everything is measured, in turn; the median counts.
      seconds: how long one measurement takes, about.
      save: also write the lines, with versions and command, to this JSON file.
    """

    forms: tuple[str, ...] = ("conv", "bfloat16", "im2col", "shift", "toeplitz", "winograd")
    batches: tuple[int, ...] = (16, 64, 256)
    channels: int = 64
    blocks: int = 4
    cores: int = 1
    rounds: int = 5
    seconds: float = 0.5
    save: Path | None = None


def conv(kernel: jax.Array, x: jax.Array) -> jax.Array:
    """Kernels f32[3, 3, C, C] and boards f32[B, 6, 7, C] to the same, as all forms do."""
    numbers = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=numbers)


def bfloat16(kernel: jax.Array, x: jax.Array) -> jax.Array:
    """At half precision."""
    return conv(kernel.astype(jnp.bfloat16), x.astype(jnp.bfloat16)).astype(jnp.float32)


def _shifted(x: jax.Array) -> list[jax.Array]:
    """The nine neighbours of every cell, zeros beyond the edge."""
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return [padded[:, i : i + _HEIGHT, j : j + _WIDTH] for i in range(3) for j in range(3)]


def im2col(kernel: jax.Array, x: jax.Array) -> jax.Array:
    """One matrix product."""
    columns = jnp.concatenate(_shifted(x), -1)
    return columns @ kernel.reshape(-1, kernel.shape[-1])


def shift(kernel: jax.Array, x: jax.Array) -> jax.Array:
    """Nine matrix products."""
    taps = kernel.reshape(9, *kernel.shape[2:])
    return sum((y @ tap for y, tap in zip(_shifted(x), taps, strict=True)), jnp.zeros_like(x))


def toeplitz(kernel: jax.Array, x: jax.Array) -> jax.Array:
    """One product with a matrix that is mostly zeros."""
    rows, columns = np.arange(_HEIGHT), np.arange(_WIDTH)
    up = rows[:, None] - rows == np.arange(-1, 2)[:, None, None]
    along = columns[:, None] - columns == np.arange(-1, 2)[:, None, None]
    matrix = jnp.einsum("iab,jxy,ijcd->axcbyd", up.astype("f"), along.astype("f"), kernel)
    flat = x.reshape(len(x), -1)
    return (flat @ matrix.reshape(flat.shape[1], -1)).reshape(x.shape)


_TO_TILE = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], np.float32)
_OF_KERNEL = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
_FROM_TILE = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], np.float32)


def winograd(kernel: jax.Array, x: jax.Array) -> jax.Array:
    """Four by four products for every two by two cells, instead of six by six."""
    down, across, channels = -(-_HEIGHT // 2), -(-_WIDTH // 2), x.shape[-1]
    wide = ((0, 0), (1, 1 + 2 * down - _HEIGHT), (1, 1 + 2 * across - _WIDTH), (0, 0))
    padded = jnp.pad(x, wide)
    cells = [
        [padded[:, i : i + 2 * down : 2, j : j + 2 * across : 2] for j in range(4)]
        for i in range(4)
    ]
    tiles = jnp.stack([y for row in _sandwich(_TO_TILE, cells) for y in row])
    kernels = jnp.einsum("ai,bj,ijcd->abcd", _OF_KERNEL, _OF_KERNEL, kernel)
    product = jnp.einsum(
        "kbc,kcd->kbd",
        tiles.reshape(16, -1, channels),
        kernels.reshape(16, channels, channels),
    ).reshape(4, 4, *tiles.shape[1:])
    out = _sandwich(_FROM_TILE, [list(row) for row in product])
    board = jnp.stack([jnp.stack(row, 3) for row in out], 2)
    return board.reshape(-1, 2 * down, 2 * across, channels)[:, :_HEIGHT, :_WIDTH]


def _sandwich(matrix: np.ndarray, items: Any) -> list[list[jax.Array]]:
    """M X Mᵀ for a square X of arrays, by additions alone where M has only zeros and ones."""

    def times(column: list[jax.Array]) -> list[jax.Array]:
        return [
            sum(x if sign > 0 else -x for sign, x in zip(row[1:], column[1:], strict=True) if sign)
            + (row[0] * column[0])
            for row in matrix
        ]

    rows = [times(row) for row in items]
    turned = [times(list(column)) for column in zip(*rows, strict=True)]
    return [list(row) for row in zip(*turned, strict=True)]


def _tower(form: Callable[..., jax.Array], kernels: jax.Array, x: jax.Array) -> jax.Array:
    for kernel in kernels:
        x = jax.nn.relu(form(kernel, x))
    return x


def program(form: Callable[..., jax.Array], gradient: bool, cores: int) -> Callable[..., Any]:
    """A compiled pass through the tower, on as many devices as there are cores."""

    def run(kernels: jax.Array, x: jax.Array) -> jax.Array:
        if not gradient:
            return _tower(form, kernels, x)
        loss = jax.grad(lambda k: jnp.square(_tower(form, k, x)).mean())
        return jax.lax.pmean(loss(kernels), "batch")

    mesh = Mesh(np.array(jax.devices()[:cores]), ("batch",))
    split, whole = PartitionSpec("batch"), PartitionSpec()
    out = whole if gradient else split
    spread = jax.shard_map(run, mesh=mesh, in_specs=(whole, split), out_specs=out, check_vma=False)
    return jax.jit(spread)


def bench(batch: int, options: Options) -> list[dict[str, Any]]:
    """Measures every form at one batch size; the lines."""
    rng = np.random.default_rng(0)
    shape = 2 * options.blocks, 3, 3, options.channels, options.channels
    kernels = jnp.asarray(rng.normal(0, (2 / 9 / options.channels) ** 0.5, shape), jnp.float32)
    boards = rng.integers(0, 2, (batch, _HEIGHT, _WIDTH, options.channels))
    x = jnp.asarray(boards, jnp.float32)
    expected, programs = jax.jit(partial(_tower, conv))(kernels, x), {}
    for name in options.forms:
        form = globals()[name]
        close = 0.1 if name == "bfloat16" else 1e-3
        np.testing.assert_allclose(jax.jit(partial(_tower, form))(kernels, x), expected, atol=close)
        for gradient in (False, True):
            run = partial(program(form, gradient, options.cores), kernels, x)
            jax.block_until_ready(run())
            programs[name, gradient] = run
    times = {key: max(1, round(options.seconds / _took(run, 1))) for key, run in programs.items()}
    rates: dict[Any, list[float]] = {key: [] for key in programs}
    for _ in range(options.rounds):
        for key, run in programs.items():
            rates[key].append(batch / _took(run, times[key]))
    return [_line(key, batch, found, options) for key, found in rates.items()]


def _took(run: Callable[[], Any], times: int) -> float:
    """Seconds of one run."""
    began = time.perf_counter()
    for _ in range(times):
        jax.block_until_ready(run())
    return (time.perf_counter() - began) / times


def _line(
    key: tuple[str, bool], batch: int, rates: list[float], options: Options
) -> dict[str, Any]:
    form, gradient = key
    work = _HEIGHT * _WIDTH * 18 * options.channels**2 * 2 * options.blocks * (3 if gradient else 1)
    return {
        "bench": "networks",
        "form": form,
        "pass": "gradient" if gradient else "forward",
        "channels": options.channels,
        "blocks": options.blocks,
        "batch": batch,
        "cores": options.cores,
        "boards_per_s": round(median(rates)),
        "spread": [round(min(rates)), round(max(rates))],
        "gflop_per_s": round(median(rates) * work / 1e9, 1),
        "device": jax.devices()[0].device_kind,
    }


def main() -> None:
    """Measures every batch size that was asked for."""
    options = tyro.cli(Options, description=__doc__)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    jax.config.update("jax_num_cpu_devices", options.cores)
    document = {
        "command": " ".join(["python -m benchmarks.networks", *sys.argv[1:]]),
        "processor": processor(),
        "versions": {p: version(p) for p in ("jax", "jaxlib", "numpy")},
        "lines": [],
    }
    for batch in options.batches:
        for line in bench(batch, options):
            print(json.dumps(line), flush=True)
            document["lines"].append(line)
    if options.save:
        options.save.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
