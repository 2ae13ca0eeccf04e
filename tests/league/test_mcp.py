"""Games as tools of the Model Context Protocol, by the client of its SDK."""

import json
import os
from typing import Any

import pytest

pytest.importorskip("mcp")

from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

from league.protocols import mcp_games, mcp_server
from league.protocols.mcp_games import Tables
from tests.helpers.command import ARENA, Place
from tests.helpers.loop import run


def text_of(found: CallToolResult) -> str:
    [content] = found.content
    assert isinstance(content, TextContent)
    return content.text


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives; it must not refuse."""
    found = await client.call_tool(tool, arguments)
    assert not found.is_error, found.content
    return json.loads(text_of(found))


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """Why a tool refuses, in one line."""
    found = await client.call_tool(tool, arguments)
    assert found.is_error
    assert len(text_of(found)) < 1500
    return text_of(found)


async def play_a_game(client: Client) -> None:
    tools = {tool.name for tool in (await client.list_tools()).tools}
    assert {"new_game", "look", "legal_moves", "play", "undo", "analyse", "ratings"} <= tools
    assert "hex" in (await call(client, "list_games"))["games"]
    begun = await call(client, "new_game", game="tic_tac_toe", agent="mcts:20", seed=1)
    id = begun["id"]
    assert (begun["seat"], begun["over"], begun["moves"]) == ("first", False, [])
    assert "b2" in (await call(client, "legal_moves", id=id))["moves"]
    after = await call(client, "play", id=id, move="b2")
    assert len(after["moves"]) == 2
    assert after["answer"] == after["moves"][1:]
    assert "X" in after["position"]
    assert "taken" in await refused(client, "play", id=id, move="b2")
    found = await call(client, "analyse", id=id, simulations=64)
    assert -1 <= found["value"] <= 1
    assert len(found["moves"]) == 7
    undone = await call(client, "undo", id=id)
    assert undone["moves"] == []
    assert "you have not moved yet" in await refused(client, "undo", id=id)
    await call(client, "play", id=id, move="a1")
    ended = await call(client, "resign", id=id)
    assert (ended["over"], ended["result"]) == (True, "you lose")
    kept = json.loads((await call(client, "record", id=id))["record"])
    assert (kept["result"], kept["termination"]) == (-1.0, "resigned")
    assert "PGN file holds games of chess" in await refused(client, "record", id=id, format="pgn")
    await call(client, "end_game", id=id)
    assert "there is no game" in await refused(client, "look", id=id)


async def hide_what_a_seat_may_not_see(client: Client) -> None:
    begun = await call(client, "new_game", game="kuhn_poker", agent="uniform", seat="second")
    assert "moves" not in begun
    assert "answer" not in begun
    assert "may not see" in await refused(client, "record", id=begun["id"])


async def refuse_what_cannot_be_served(client: Client) -> None:
    for arguments, says in (
        ({"game": "no_such_game"}, "no game is called"),
        ({"game": "./mine.py:Mine"}, "no game is called"),
        ({"game": "hex", "agent": "policy:./mine.py"}, "is no agent"),
        ({"game": "hex", "agent": "os.path:join"}, "is no agent"),
        ({"game": "hex", "agent": "mcts:1000000"}, "may be above 10,000"),
        ({"agent": "../etc:3"}, "arena|run|named"),
        ({"game": "hex", "agent": "x" * 500}, "200"),
        ({"game": "hex", "start": "nonsense"}, "have no text"),
        ({"game": "hex", "seat": "third"}, "seat"),
    ):
        text = await refused(client, "new_game", **arguments)
        assert any(part in text for part in says.split("|")), text
    for simulations in (0, 10**9):
        await refused(client, "analyse", id="1", simulations=simulations)
    await refused(client, "ratings", run="none")
    for _ in range(mcp_games.GAMES):
        await client.call_tool("new_game", {"game": "tic_tac_toe", "agent": "uniform"})
    text = await refused(client, "new_game", game="tic_tac_toe", agent="uniform")
    assert "games are in progress" in text


@pytest.mark.parametrize(
    "talk", [play_a_game, hide_what_a_seat_may_not_see, refuse_what_cannot_be_served]
)
def test_a_client_in_this_process(talk, here: Place):
    async def main() -> None:
        async with Client(mcp_server.make(Tables())) as client:
            await talk(client)

    run(main())


@pytest.mark.slow
def test_a_client_that_starts_the_server(here: Place, tiny):
    """By stdin and stdout, as programs do; with the ratings of a run."""
    here.adopt(tiny, "tiny")
    server = StdioServerParameters(
        command=ARENA,
        args=["mcp"],
        cwd=str(here.folder),
        env={**os.environ, "XDG_CACHE_HOME": str(here.cache), "JAX_PLATFORMS": "cpu"},
    )

    async def main() -> None:
        async with Client(server) as client:
            await play_a_game(client)
            found = await call(client, "ratings", run="tiny")
            assert [row["agent"] for row in found["snapshots"]][:2] == ["tiny:0", "tiny:1"]
            [run] = (await call(client, "list_agents"))["runs"]
            assert run["run"] == "tiny"
            begun = await call(client, "new_game", agent="tiny")
            assert begun["agent"].startswith("tiny")
            assert begun["agent"].endswith("simulations=32")
            await call(client, "play", id=begun["id"], move="b2")

    run(main())
