"""The page of what a generation's dataset holds: one file that opens without a network.

The web app shows the same parts on a page of its own.
"""

from typing import Any, NamedTuple

from league.evaluation import dataset_games
from league.evaluation.position_kinds import PositionKind
from league.evaluation.selection import Selection
from league.report import drawing, page
from league.store.files import replacing
from league.store.run import Run


class Table(NamedTuple):
    """A table; the first cell of a row is its head."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Board(NamedTuple):
    """A position, a data URL of its picture or its text, with words below, and a table if any."""

    title: str
    picture: str
    words: str
    table: Table | None = None


def file_name(generation: int) -> str:
    """The name of a generation's page in the folder of its run."""
    return f"data-{generation}.html"


def write(run: Run, generation: int, found: Selection) -> str:
    """Writes the page into the run's folder, whole or not at all; gives its path."""
    path = run.folder / file_name(generation)
    with replacing(path, "w") as file:
        file.write(page.template("selection.html", **parts(run, generation, found)))
    return str(path)


def parts(run: Run, generation: int, found: Selection) -> dict[str, Any]:
    """What the page shows, by the names of its template.

    Args:
      run: the run.
      generation: its number.
      found: what its dataset holds.
    """
    return {
        "name": run.name,
        "game": run.card["game"],
        "generation": generation,
        "numbers": numbers(found),
        "tables": [table for table in (_kinds(found.kinds), _cosines(found)) if table],
        "boards": [*_openings(found), *_games(run, found)],
    }


def numbers(found: Selection) -> list[tuple[str, str]]:
    """Figures of a dataset, name and text."""
    first, even, second = found.results
    mean, deviation = found.outcome
    shown = [
        ("Positions", f"{found.positions:,}"),
        ("Different", f"{found.distinct:,} ({found.distinct / max(found.positions, 1):.0%})"),
        ("KL(D' ‖ M), nats a move", f"{found.divergence:.3f}"),
        ("Of games that seat 0 won, even, that seat 1 won", f"{first:.0%} {even:.0%} {second:.0%}"),
        ("Target of the value, ± s.d.", f"{mean:+.3f} ± {deviation:.3f}"),
    ]
    if found.length:
        mean, low, high = found.length
        shown.append(("Moves a game (10 % to 90 %)", f"{mean:.1f} ({low:.0f} to {high:.0f})"))
    return shown


def _kinds(kinds: tuple[PositionKind, ...]) -> Table | None:
    if not kinds:
        return None
    rows = tuple(
        (
            one.name,
            str(one.positions),
            f"{one.divergence:.3f}" if one.positions else "",
            one.skill,
            *(f"{x:.1%}" if one.positions and one.skill else "" for x in (one.before, one.wanted)),
        )
        for one in kinds
    )
    columns = ("Kind", "Positions", "KL, nats", "Skill", "M", "D'")
    return Table("Kinds of positions, and which skills are amplified", "", columns, rows)


def _cosines(found: Selection) -> Table | None:
    if not found.cosines:
        return None
    rows = tuple((str(ahead), f"{value:.2f}") for ahead, value in found.cosines.items())
    note = "Cosine of D' − M and of the change of log-probabilities."
    return Table("Where it was to move M, and did", note, ("Generations", "Cosine"), rows)


def _openings(found: Selection) -> list[Board]:
    shown = []
    for opening in found.opening:
        rows = tuple((label, f"{old:.1%}", f"{new:.1%}") for label, old, new in opening.moves)
        table = Table("How often a move is made", "", ("Move", "M", "D'"), rows)
        words = f"{opening.rows} of the positions looked at"
        shown.append(Board("A frequent position", drawing.data_url(opening.picture), words, table))
    return shown


def _games(run: Run, found: Selection) -> list[Board]:
    shown = []
    for number, line in enumerate(found.games, 1):
        record = dataset_games.record(run.game, line)
        end = dataset_games.final(run.game, line)
        result = {1.0: "seat 0 wins", -1.0: "seat 1 wins", 0.0: "even"}.get(record.result or 0.0)
        words = " ".join(record.labels) + f": {result or f'{record.result:+.2f} for seat 0'}"
        shown.append(Board(f"Game {number}", drawing.data_url(run.game.draw(end)), words))
    return shown
