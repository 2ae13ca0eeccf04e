"""A server of the Model Context Protocol (modelcontextprotocol.io), by its official Python SDK."""

from collections.abc import Callable
from typing import Annotated, Literal, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from arena.types import Forfeit
from league.protocols.mcp_games import SIMULATIONS, Answer, Seat, Tables

P = ParamSpec("P")

_INSTRUCTIONS = (
    "Arena plays two-player zero-sum games. new_game begins one against an agent and gives its id; "
    "look shows what your seat may see, legal_moves what can be played, play makes a move, which "
    "the agent answers at once. analyse gives values for who is to move, in [-1, 1]; prior is the "
    "network's probability before the search, visits are the search's, q is the mean value."
)

Id = Annotated[str, Field(description="of the game, as new_game gave it", max_length=20)]
Name = Annotated[str, Field(max_length=200)]
Simulations = Annotated[int, Field(description="of the search", ge=1, le=SIMULATIONS)]


def make(tables: Tables) -> MCPServer:
    """The server of a client's games.

    Args:
      tables: its games, none as a rule.
    """
    server = MCPServer("arena", instructions=_INSTRUCTIONS)
    for add in (_add_lists, _add_games, _add_moves, _add_records):
        add(server, tables)
    return server


def _add_lists(server: MCPServer, tables: Tables) -> None:
    @server.tool(description="The games that can be played, by name")
    def list_games() -> Answer:
        return _told(tables.list_games)

    @server.tool(description="Runs with the Elo of their snapshots, and agents that need no run")
    def list_agents() -> Answer:
        return _told(tables.list_agents)

    @server.tool(description="Elo of a run's snapshots, with half the width of 95 % intervals")
    def ratings(run: Name) -> Answer:
        return _told(tables.ratings, run)


def _add_games(server: MCPServer, tables: Tables) -> None:
    @server.tool(
        description="Begins a game against an agent: mcts:100, uniform, pretrained:connect_four, "
        "RUN:ID,simulations=32. A snapshot says the game by itself. start is a position as text "
        "(FEN in chess)."
    )
    def new_game(
        agent: Name = "mcts:100",
        game: Name = "",
        seat: Seat = "first",
        seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None,
        start: Name = "",
    ) -> Answer:
        return _told(tables.new_game, game, agent, seat, seed, start)

    @server.tool(description="Forgets a game, so that another one can begin")
    def end_game(id: Id) -> Answer:
        return _told(tables.end_game, id)

    @server.tool(description="Gives a game up")
    def resign(id: Id) -> Answer:
        return _told(tables.resign, id)


def _add_moves(server: MCPServer, tables: Tables) -> None:
    @server.tool(description="The position as your seat may see it, and the result if it is over")
    def look(id: Id) -> Answer:
        return _told(tables.look, id)

    @server.tool(description="The moves that you may make")
    def legal_moves(id: Id) -> Answer:
        return _told(tables.legal_moves, id)

    @server.tool(description="Makes a move, which the agent answers at once")
    def play(id: Id, move: Name) -> Answer:
        return _told(tables.play, id, move)

    @server.tool(description="Takes back your last move, and what followed it")
    def undo(id: Id) -> Answer:
        return _told(tables.undo, id)


def _add_records(server: MCPServer, tables: Tables) -> None:
    @server.tool(description="The agent's analysis of the position in which you are to move")
    def analyse(id: Id, simulations: Simulations = 200) -> Answer:
        return _told(tables.analyse, id, simulations)

    @server.tool(description="A game as a file has it: JSON, or PGN of chess, or SGF")
    def record(id: Id, format: Literal["jsonl", "pgn", "sgf"] = "jsonl") -> Answer:
        return _told(tables.record, id, format)


def _told(call: Callable[P, Answer], *arguments: P.args, **options: P.kwargs) -> Answer:
    """What a call gives; what it refuses becomes the tool's error, in one line."""
    try:
        return call(*arguments, **options)
    except (ValueError, NotImplementedError, Forfeit, OSError) as error:
        raise ToolError(" ".join(str(error).split())) from None
