"""Pictures of the games for the web app, a few moves into each: league/web/static/pictures.

    python -m docs.generate.web_pictures

They are kept as files because drawing them takes the rules of all games, which compile for a while.
"""

import random

import games
from arena.play.session import Session
from docs.generate.facts import ROOT

PLACE = ROOT / "league" / "web" / "static" / "pictures"
_PLIES = {"go": 30, "hex": 20, "gomoku": 16, "othello": 14, "connect_four": 14}


def draw(name: str) -> str:
    """A game's picture, SVG."""
    session, choose = Session(games.load(name), seed=1), random.Random(3)
    for _ in range(min(_PLIES.get(name, 8), session.game.typical_plies // 2)):
        if session.over:
            break
        session.push(choose.choice(list(session.legal_moves.values())))
    return session.drawing(max(session.seat, 0))


def main() -> None:
    """Writes all of them."""
    PLACE.mkdir(exist_ok=True)
    for name in games.names():
        (PLACE / f"{name}.svg").write_text(draw(name) + "\n", "utf-8")


if __name__ == "__main__":
    main()
