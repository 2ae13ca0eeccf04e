"""Games of Stockfish against itself, to learn from.

    python examples/engine_games.py --games 4000
    arena data import chess engine.pgn --out engine.npz
    arena train chess --from engine.npz --time 1h

Masters resign, so their games hardly show what an extra queen is worth, how to mate, or how not to
stalemate. These begin in positions after random moves, of both sides or of one that is being
beaten, and are played to the end.
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


def start(engine: chess.engine.SimpleEngine, limit: chess.engine.Limit, most: int) -> chess.Board:
    """A position after so many moves at most: one side's are random, or those of both."""
    while True:
        board, at_random = chess.Board(), random.choice(([True], [False], [True, False]))
        for _ in range(random.randint(6, most)):
            if board.is_game_over(claim_draw=True):
                break
            found = random.choice(list(board.legal_moves))
            board.push(found if board.turn in at_random else best(engine, limit, board))
        if not board.is_game_over(claim_draw=True):
            return chess.Board(board.fen())  # what led there is nothing to learn from


def best(
    engine: chess.engine.SimpleEngine, limit: chess.engine.Limit, board: chess.Board
) -> chess.Move:
    """The program's move."""
    move = engine.play(board, limit).move
    assert move is not None
    return move


def main(*, games: int = 100, nodes: int = 200, plies: int = 50, seed: int = 0) -> None:
    """Adds games to engine.pgn, each as soon as it is over.

    Args:
      games: how many.
      nodes: positions that the program looks at for a move.
      plies: moves before those that are kept, at most.
      seed: of the random moves.
    """
    if PROGRAM is None:
        raise SystemExit("stockfish is not installed; Debian has it as a package")
    random.seed(seed)
    limit, results = chess.engine.Limit(nodes=nodes), Counter[str]()
    with (
        chess.engine.SimpleEngine.popen_uci(PROGRAM) as engine,
        Path("engine.pgn").open("a") as file,
    ):
        for _ in range(games):
            board = start(engine, limit, plies)
            while not board.is_game_over(claim_draw=True):
                board.push(best(engine, limit, board))
            game = chess.pgn.Game.from_board(board)
            game.headers["Result"] = board.result(claim_draw=True)
            results[game.headers["Result"]] += 1
            print(game, end="\n\n", file=file, flush=True)
    print(f"{games} games: {dict(results)}")


if __name__ == "__main__":
    tyro.cli(main)
