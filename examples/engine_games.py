"""Games of Stockfish against itself, to learn from.

    python examples/engine_games.py --games 4000
    arena data import chess engine.pgn --out engine.npz
    arena train chess --from engine.npz --time 1h

Masters resign, so their games hardly show what an extra queen is worth, or how to mate. These begin
with random moves, which leave one side well ahead, and are played to the end.
"""

import os
import random
import shutil
from collections import Counter
from pathlib import Path

import chess
import chess.engine
import chess.pgn
import tyro

PROGRAM = shutil.which("stockfish", path=f"{os.environ['PATH']}:/usr/games")


def opening(plies: int) -> chess.Board:
    """The position after so many random moves."""
    while True:
        board = chess.Board()
        for _ in range(plies):
            if not board.is_game_over():
                board.push(random.choice(list(board.legal_moves)))
        if not board.is_game_over():
            return board


def main(*, games: int = 100, nodes: int = 200, plies: int = 40, seed: int = 0) -> None:
    """Adds games to engine.pgn, each as soon as it is over.

    Args:
      games: how many.
      nodes: positions that the program looks at for a move.
      plies: random moves before it plays both sides, at most.
      seed: of the random moves.
    """
    random.seed(seed)
    results: Counter[str] = Counter()
    with (
        chess.engine.SimpleEngine.popen_uci(PROGRAM or "stockfish") as engine,
        Path("engine.pgn").open("a") as file,
    ):
        for _ in range(games):
            board = opening(random.randint(6, plies))
            while not board.is_game_over(claim_draw=True):
                found = engine.play(board, chess.engine.Limit(nodes=nodes))
                assert found.move is not None
                board.push(found.move)
            game = chess.pgn.Game.from_board(board)
            game.headers["Result"] = board.result(claim_draw=True)
            results[game.headers["Result"]] += 1
            print(game, end="\n\n", file=file, flush=True)
    print(f"{games} games: {dict(results)}")


if __name__ == "__main__":
    tyro.cli(main)
