"""`arena verify` and policies of one's own, as commands."""

from pathlib import Path

import pytest

from league.cli.entry import main
from tests.helpers.command import strict_json

NIM = "from arena.pettingzoo import nim_v0\n\nenv = nim_v0.env\n"
POLICIES = """
def policy(observation, mask):
    return mask.argmax()

def cheat(observation, mask):
    return mask.argmin()

def raises(observation, mask):
    raise KeyError("x")

def moves(game, state, move):
    return move

def observations(native, env):
    return native.sum(1), env.sum(1)

def promotes(native, env):
    import jax.numpy as jnp
    return jnp.asarray(native) + jnp.int32(1), env

number = 3
"""


@pytest.fixture(autouse=True)
def files(here):
    Path("nim_env.py").write_text(NIM)
    Path("mine.py").write_text(POLICIES)


def ended(line: str) -> object:
    """The exit code of a command that ends with one."""
    with pytest.raises(SystemExit) as stop:
        main(line.split())
    return stop.value.code


def test_a_port_that_agrees(capsys):
    main(["verify", "nim", "pettingzoo:./nim_env.py", "--games", "5"])
    assert capsys.readouterr().out.startswith("nim agrees with pettingzoo:./nim_env.py: 5 games, ")
    mapped = ["--moves", "./mine.py", "--observations", "./mine.py:observations"]
    main(["verify", "nim", "pettingzoo:./nim_env.py", "--games", "5", "--json", *mapped])
    told = strict_json(capsys.readouterr().out)
    assert (told["games"], told["differing"], told["difference"]) == (5, 0, None)


def test_a_port_that_does_not(capsys):
    assert ended("verify nim:misere=true pettingzoo:./nim_env.py --games 5") == 1
    head, what, moves, actions = capsys.readouterr().out.splitlines()
    assert head.startswith("nim:misere=true differs from pettingzoo:./nim_env.py in 5 of 5 games")
    ply = int(what.removeprefix("ply ").partition(",")[0])
    assert ", payoff: nim:misere=true: " in what
    assert len(moves.split()) == len(actions.removeprefix("the env's numbers of them:").split()) + 1
    assert len(moves.split()) == ply + 1
    assert ended("verify nim:misere=true pettingzoo:./nim_env.py --games 5 --json") == 1
    told = strict_json(capsys.readouterr().out)["difference"]
    assert (told["what"], len(told["moves"])) == ("payoff", ply)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("verify nim pettingzoo:./nim_env.py --moves mine.py:number", "holds 3, which is no"),
        ("verify nim pettingzoo:./nim_env.py --moves mine.py:none", "mine.py defines no 'none'"),
        ("verify nim pettingzoo:./nim_env.py --moves mine.py:raises", "mapping the move 1-1"),
        (
            "verify nim pettingzoo:./nim_env.py --observations mine.py:promotes",
            "set jax_numpy_dtype_promotion=standard. (mine.py, line 19)",
        ),
        ("verify nim pettingzoo:./mine.py", "no function env"),
        ("verify nim pettingzoo:./mine.py:raises", "cannot be made: TypeError"),
        ("match policy:mine.py:cheat uniform --game nim --pairs 2", "mine.py:cheat chose move"),
        ("match policy:mine.py:raises uniform --game nim --pairs 2", "raises KeyError: 'x' (mine"),
        ("match policy:mine.py:number uniform --game nim", "neither a function nor able to"),
    ],
)
def test_what_users_get_wrong(capsys, line, says):
    assert ended(line) == 2
    out, err = capsys.readouterr()
    assert out == ""
    told = err.splitlines()[-1]
    assert told.startswith("arena: ")
    assert says in told
    assert "Traceback" not in err


def test_a_policy_plays_a_match(capsys):
    main(["match", "policy:./mine.py", "uniform", "--game", "nim", "--pairs", "4", "--json"])
    told = strict_json(capsys.readouterr().out)
    assert told["a"] == "policy:./mine.py"
    assert told["wins"] + told["draws"] + told["losses"] == 8
