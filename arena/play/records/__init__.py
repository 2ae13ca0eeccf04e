"""Games on disk: PGN for chess, SGF for go, othello, gomoku, backgammon and hex, JSONL for all.

Public are a game as files keep it (`SavedGame`, with `Player` and `MoveNote`; `saved` makes one of
a `GameRecord`, `replay` a `Session` of one), and reading and writing it (`read_games`,
`append_games`, `Skipped`), and finding it (`find_games`, `GameFilter`).
"""

from arena.play.records.files import Skipped, append_games, check_writable, read_games
from arena.play.records.listing import FoundGame, GameFilter, find_games
from arena.play.records.saved import (
    LEFT,
    RESIGNED,
    MoveNote,
    Player,
    SavedGame,
    begin,
    replay,
    rules_of,
    saved,
)

__all__ = [
    "LEFT",
    "RESIGNED",
    "FoundGame",
    "GameFilter",
    "MoveNote",
    "Player",
    "SavedGame",
    "Skipped",
    "append_games",
    "begin",
    "check_writable",
    "find_games",
    "read_games",
    "replay",
    "rules_of",
    "saved",
]
