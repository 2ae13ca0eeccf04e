"""Rates results that come from elsewhere: a CSV file here; a PGN file works alike.

The same on the command line: `arena rate --results results.csv`.
"""

from pathlib import Path

import league

# What a club's evening might leave behind; `first` made the first move.
RESULTS = """\
first,second,score
anna,bruno,1
bruno,anna,0.5
anna,chiara,1
chiara,anna,0
bruno,chiara,1
chiara,bruno,0.5
anna,bruno,0
"""


def main() -> None:
    """Prints the players, best first, with 95 % intervals."""
    path = Path("results.csv")
    path.write_text(RESULTS)
    rated = league.rate_results(league.read_results(path), anchor="bruno")
    for player in rated.players:
        print(
            f"{player.name:8} {player.elo:+5.0f} ± {player.half_width:.0f} ({player.games} games)"
        )


if __name__ == "__main__":
    main()
