"""OpenSpiel's Monte-Carlo tree search, written in C++, on OpenSpiel's own rules.

UCT with one random game at a new leaf, as `mcts` is, but for one thing: results that are proven are
passed up (MCTS-Solver). That is the default of OpenSpiel's own example; without it, theirs hardly
returns to a move that ends the game.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from arena.errors import SIMULATIONS, whole_number
from arena.types import Forfeit, HostAgent, Position, State
from games import Game
from games.breakthrough import Breakthrough
from games.connect_four import ConnectFour
from games.english_draughts import EnglishDraughts
from games.gomoku import Gomoku
from games.hex import Hex
from games.nim import Nim
from games.othello import Othello
from games.tic_tac_toe import TicTacToe

_EXPLORATION = 2.0  # the default of OpenSpiel's own example
_MEMORY = 1000  # megabytes that a tree may take


@dataclass(frozen=True)
class Twin:
    """OpenSpiel's version of a game.

    Attributes:
      name: as OpenSpiel's loader takes it.
      number: our number of one of their actions, made by a player of theirs.
    """

    name: str
    number: Callable[[int, int], int] = lambda action, player: action


def twin(game: Game) -> Twin:
    """The same game in OpenSpiel; raises ValueError if it has none that its search can play."""
    same = {ConnectFour: "connect_four", Othello: "othello", TicTacToe: "tic_tac_toe"}
    match game:
        case ConnectFour() | Othello() | TicTacToe():
            return Twin(same[type(game)])
        case Gomoku():
            return Twin(f"gomoku(size={game.size},connect=5)")
        case Nim():
            piles = ";".join(map(str, game.sizes))
            return Twin(f"nim(pile_sizes={piles},is_misere={game.misere})")
        case Hex():
            return Twin(f"hex(board_size={game.size},swap={game.swap})", _hex(game.size))
        case Breakthrough():
            return Twin("breakthrough", _breakthrough)
        case EnglishDraughts():
            return Twin("checkers", _draughts)
    raise ValueError(
        "openspiel_mcts plays breakthrough, connect_four, english_draughts, gomoku, hex, nim, "
        "othello and tic_tac_toe"
    )


def _hex(size: int) -> Callable[[int, int], int]:
    """They number all cells in the first player's view; the last action swaps the colours."""

    def number(action: int, player: int) -> int:
        if player == 0 or action == size**2:
            return action
        row, column = divmod(action, size)
        return column * size + row

    return number


def _breakthrough(action: int, player: int) -> int:
    """They number by row from the top, column, way (three for each player), capture."""
    cell, way = divmod(action // 2, 6)
    row = 7 - cell // 8 if player else cell // 8
    return 64 * (way % 3) + 8 * row + cell % 8


def _draughts(action: int, player: int) -> int:
    """They number by row from the top, column, way as the first player sees it, jump or not."""
    cell, way = divmod(action // 2, 4)
    row, column = divmod(cell if player else 63 - cell, 8)
    ours = (2, 3, 1, 0)[way] if player else (1, 0, 2, 3)[way]
    return 32 * ours + 4 * row + column // 2


class Replayed:
    """A game of theirs that follows ours.

    Args:
      state: theirs, at the start; it changes in place.
      twin: how the moves are called.
    """

    def __init__(self, state: State, twin: Twin):
        self.state, self._twin = state, twin

    def actions(self) -> dict[int, int]:
        """Their legal actions by our numbers."""
        player = self.state.current_player()
        return {self._twin.number(a, player): a for a in self.state.legal_actions()}

    def play(self, move: int) -> None:
        """Makes a move of ours."""
        self.state.apply_action(self.actions()[move])


class OpenSpielMCTS(HostAgent):
    """Moves by OpenSpiel's search, which starts afresh at every move.

    Args:
      name: as a user types it.
      game: what it plays.
      rollouts: random games a move.
    """

    def __init__(self, name: str, game: Game, rollouts: int):
        self.name, self._ours, self._twin = name, game, twin(game)
        pyspiel = _pyspiel()
        self._game = pyspiel.load_game(self._twin.name)
        self._bot = pyspiel.MCTSBot(
            self._game,
            pyspiel.RandomRolloutEvaluator(1, 1),
            _EXPLORATION,
            rollouts,
            _MEMORY,
            True,  # passing up proven results
            1,  # seed
            False,  # verbose
        )

    def choose(self, game: Game, position: Position) -> int:
        """Its move."""
        if game != self._ours:
            raise Forfeit(f"{self.name} plays another game")
        theirs = Replayed(self._game.new_initial_state(), self._twin)
        for move in position.moves_from_init(self.name):
            theirs.play(move)
        return self._twin.number(self._bot.step(theirs.state), theirs.state.current_player())


def _pyspiel() -> Any:
    try:
        return import_module("pyspiel")
    except ImportError:
        raise ValueError("OpenSpiel is not installed: pip install open_spiel") from None


def make(game: Game, argument: str) -> HostAgent:
    """The agent `openspiel_mcts:ROLLOUTS`.

    Raises:
      ValueError: that is not a positive number, OpenSpiel is not installed or lacks the game.
    """
    rollouts = whole_number(argument, 1, SIMULATIONS)
    if rollouts is None:
        raise ValueError(
            f"openspiel_mcts takes a number of rollouts up to {SIMULATIONS:,}, as in "
            f"openspiel_mcts:100, not {argument!r:.50}"
        )
    return OpenSpielMCTS(f"openspiel_mcts:{rollouts}", game, rollouts)
