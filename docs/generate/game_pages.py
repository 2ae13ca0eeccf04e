"""A page for every game, from its docstrings, its facts and its proof, and a picture of it."""

import ast
import dataclasses
import importlib
import inspect
import re
import textwrap
from typing import Any

import docstring_parser
import jax
import numpy as np

import games
from docs.generate import facts, speeds
from games import CHANCE, OVER, Game
from league.settings import defaults

_KINDS = {
    "perft": "sequences of n legal moves",
    "positions": "positions after n plies",
    "orbits": "the same, symmetric ones as one",
    "games": "different games",
    "value": "value under perfect play, for seat 0",
    "uniform_exploitability": "exploitability of random play",
    "information_sets": "information sets",
}
_PARTNERS = {
    "OpenSpiel": r"OpenSpiel|pyspiel",
    "pgx": r"(?:import|from) pgx\b",
    "python-chess": r"class PythonChess\b",
    "pydraughts": r"(?:import|from) draughts\b",
}
"""A partner in lockstep, and how its use shows in the tests of a game."""


def page(name: str) -> str:
    """The page of a game in Markdown."""
    game = games.load(name)
    module = importlib.import_module(f"games.{name}")
    parts = [
        f"# {facts.title(name)}",
        f"![A position after some random moves](../images/games/{name}.svg){{ .board }}",
        _prose(module.__doc__),
        _commands(name, game),
        *_sections(type(game).__doc__),
        "## Facts",
        facts.table(["", ""], _rows(name, game)),
        _options(game),
        _published(name, game),
        _proof(name),
        f"The rules are in [`games/{name}.py`](../api/games.md).",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def overview() -> str:
    """The page that lists all games."""
    rows = []
    for name in games.names():
        game = games.load(name)
        speed = speeds.speeds().get(name)
        rows.append(
            [
                f"[![]({_picture(name)}){{ .thumbnail }}]({name}.md)",
                f"[`{name}`]({name}.md)",
                ", ".join(f.name for f in dataclasses.fields(_rules(game))),
                game.num_actions,
                game.max_plies,
                "perfect" if game.perfect_information else "hidden",
                f"{speed.bare / 1e6:.1f}" if speed else "",
                ", ".join(partners(name)),
            ]
        )
    head = ["", "name", "options", "moves", "longest game", "information"]
    table = facts.table([*head, "million steps a second", "played in lockstep with"], rows)
    return (facts.ROOT / "docs" / "games.md").read_text().replace("{{ games }}", table)


def _picture(name: str) -> str:
    return f"../images/games/{name}.svg"


def _prose(docstring: str | None) -> str:
    """A docstring as Markdown: its indented blocks stay as they are."""
    return (docstring or "").strip()


def _sections(docstring: str | None) -> list[str]:
    """The sections of a game's docstring as Markdown; its options have a table of their own."""
    parts = re.split(r"^(\w+):\n", inspect.cleandoc(docstring or ""), flags=re.M)[1:]
    return [
        f"## {head}\n\n{textwrap.dedent(text).strip()}"
        for head, text in zip(parts[::2], parts[1::2], strict=True)
        if head != "Attributes"
    ]


def _commands(name: str, game: Game) -> str:
    opponent = "mcts:200" if game.searchable else "uniform"
    return (
        f"```sh\narena train {name}\narena play {name}   # against the newest snapshot\n"
        f"arena play {opponent} --game {name}\n```"
    )


def _rules(game: Game) -> Any:
    """The game as a dataclass, which every game is."""
    return game


def _rows(name: str, game: Game) -> list[tuple[str, object]]:
    state = jax.tree.leaves(game.template())
    seen = jax.eval_shape(game.observe, game.template(), np.int32(0))
    policy = jax.ShapeDtypeStruct((game.num_actions,), np.float32)
    turned = jax.eval_shape(game.symmetries, seen, policy)[0].shape[0]
    learner = type(defaults.default(name, game).learner).__name__.removesuffix("Config")
    rows: list[tuple[str, object]] = [
        ("moves", game.num_actions),
        ("chance outcomes", game.num_outcomes or "none"),
        ("longest game", f"{game.max_plies} plies"),
        ("information", "perfect" if game.perfect_information else "hidden"),
        ("tree search", "yes" if game.searchable else "no"),
        ("state", f"{sum(x.size * x.dtype.itemsize for x in state)} bytes"),
        ("observation", " × ".join(map(str, seen.shape)) + " numbers"),
        ("symmetries", turned),
        ("default learner", learner),
        ("version of the rules", game.version),
    ]
    speed = speeds.speeds().get(name)
    if speed:
        text = f"{speed.bare / 1e6:.1f} million a second, {speed.observed / 1e6:.1f} observed"
        rows.append(("steps on one core", text))
    return rows


def _options(game: Game) -> str:
    fields = dataclasses.fields(_rules(game))
    if not fields:
        return ""
    parsed = docstring_parser.parse(type(game).__doc__ or "").params
    told = {param.arg_name: param.description or "" for param in parsed}
    rows = [(f"`{f.name}`", f"`{_text(f.default)}`", told.get(f.name, "")) for f in fields]
    return "## Options\n\n" + facts.table(["option", "default", "meaning"], rows)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _published(name: str, game: Game) -> str:
    beyond = _beyond_reach(name)
    rows = []
    for kind, meaning in _KINDS.items():
        fact = getattr(game.facts, kind)
        if fact is not None:
            held = "no: " + beyond[kind] if kind in beyond else "yes"
            rows.append((meaning, _numbers(fact.value), fact.source, held))
    head = ["what", "published", "source", "reproduced by the tests"]
    return "## Published numbers\n\n" + facts.table(head, rows) if rows else ""


def _numbers(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_numbers(v) for v in value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _beyond_reach(name: str) -> dict[str, str]:
    """The reasons why a fact is not reproduced, as the game's proof gives them."""
    tree = ast.parse((facts.ROOT / "tests" / "proofs" / f"{name}.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "BEYOND_REACH":
            return ast.literal_eval(node.value)
    return {}


def partners(name: str) -> list[str]:
    """The implementations that the game is played in lockstep with."""
    places = [f"proofs/{name}.py", f"games/test_{name}.py"]
    texts = [path for place in places if (path := facts.ROOT / "tests" / place).exists()]
    text = "\n".join(path.read_text() for path in texts)
    return [partner for partner, sign in _PARTNERS.items() if re.search(sign, text)]


def _proof(name: str) -> str:
    played = " and ".join(partners(name))
    return f"Played in lockstep with {played}: `tests/proofs/{name}.py`." if played else ""


def picture(name: str) -> str:
    """SVG of a position two thirds into a random game, of at most two dozen moves."""
    game = games.load(name)
    path = _random_game(game, np.random.default_rng(7))
    return _with_size(game.draw(path[min(24, -(-2 * (len(path) - 1) // 3))]))


def _random_game(game: Game, chance: np.random.Generator) -> list[Any]:
    """The positions in which a seat is to move, or the game is over, in order."""
    mover, legal, step, outcomes = map(jax.jit, (game.mover, game.legal, game.step, game.chance))
    state, path = game.init(), []
    while (seat := int(mover(state))) != OVER and len(path) <= 36:
        if seat == CHANCE:
            odds = np.asarray(outcomes(state), np.float64)
            move = chance.choice(len(odds), p=odds / odds.sum())
        else:
            path.append(state)
            move = chance.choice(np.flatnonzero(np.asarray(legal(state))))
        state = step(state, np.int32(move))
    return [*path, state]


def _with_size(svg: str) -> str:
    """The picture with the namespace that a file needs."""
    if "xmlns=" in svg:
        return svg
    return svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
