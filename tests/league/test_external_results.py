"""Results from elsewhere: what files say, how they are rated, and `arena rate --results`."""

from pathlib import Path

import numpy as np
import pytest

from league.cli.entry import main
from league.evaluation.external_results import rate_results, read_results
from tests.helpers.command import strict_json

GAME = """[Event "?"]
[White "{white}"]
[Black "{black}"]
[Result "{result}"]

1. e4 {{a comment
over two lines}} e5 (1... c5) 2. Nf3 $1 {result}

"""


def pgn(path: Path, *games: tuple[str, str, str], encoding: str = "utf-8") -> Path:
    """A PGN of games (white, black, result)."""
    text = "".join(GAME.format(white=w, black=b, result=r) for w, b, r in games)
    path.write_text(text, encoding=encoding)
    return path


def csv(path: Path, *lines: str) -> Path:
    """A CSV of lines."""
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_pgn_is_read_by_who_moved_first(tmp_path: Path):
    path = pgn(
        tmp_path / "some.pgn",
        ("Ann", "Bob", "1-0"),
        ("Bob", "Ann", "1/2-1/2"),
        ("Ann", "Bob", "1-0"),
        ("Cem", "Ann", "0-1"),
        ("Cem", "Bob", "*"),
    )
    found = read_results(path)
    assert found.names == ("Ann", "Bob", "Cem")
    assert found.rows.tolist() == [[0, 1, 2, 0, 0], [1, 0, 0, 1, 0], [2, 0, 0, 0, 1]]
    assert found.unfinished == 1


def test_both_kinds_of_csv_say_the_same(tmp_path: Path):
    one = read_results(
        csv(
            tmp_path / "one.csv",
            "round,White,Black,Result",
            '1,"Doe, Ann",Bob,1-0',
            "",
            '2, Bob, "Doe, Ann", 1/2-1/2',
            '3,Bob,"Doe, Ann",*',
        )
    )
    two = read_results(
        csv(tmp_path / "two.csv", "first,second,score", '"Doe, Ann",Bob,1', 'Bob,"Doe, Ann",0.5')
    )
    assert one.names == two.names == ("Doe, Ann", "Bob")
    assert one.rows.tolist() == two.rows.tolist() == [[0, 1, 1, 0, 0], [1, 0, 0, 1, 0]]
    assert (one.unfinished, two.unfinished) == (1, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_names_of_either_encoding_are_read(tmp_path: Path, encoding: str):
    path = pgn(tmp_path / "x.PGN", ("Gödel", "Noether", "0-1"), encoding=encoding)
    assert read_results(path).names == ("Gödel", "Noether")


def test_three_in_four_points_are_worth_190_elo(tmp_path: Path):
    """The logistic curve: 400 log10(p / (1 - p)) = 190.85 at p = 3/4 (FIDE's and Ordo's scale)."""
    wins = [("strong", "weak", "1-0"), ("weak", "strong", "0-1")] * 150
    losses = [("weak", "strong", "1-0"), ("strong", "weak", "0-1")] * 50
    found = rate_results(read_results(pgn(tmp_path / "x.pgn", *wins, *losses)), anchor="weak")
    best, worst = found.players
    assert (best.name, worst.name, found.anchor) == ("strong", "weak", "weak")
    # The prior adds half a game to wins and losses: 400 log10(300.5 / 100.5) = 190.27.
    assert best.elo == pytest.approx(400 * np.log10(300.5 / 100.5), abs=0.05)
    assert best.elo == pytest.approx(190.85, abs=1)
    # Of a log ratio of counts: 1.96 sqrt(1 / wins + 1 / losses).
    expected = 1.96 * 400 / np.log(10) * np.sqrt(1 / 300 + 1 / 100)
    assert best.half_width == pytest.approx(expected, rel=0.01)
    assert (worst.elo, worst.half_width) == (0, 0)
    assert (best.games, best.score, worst.score) == (400, 0.75, 0.25)
    assert found.first_move
    assert found.fit.first_move == pytest.approx(0, abs=1e-6)


def test_the_first_move_is_fitted_only_where_the_games_tell_it_from_strength(tmp_path: Path):
    header = "first,second,score"
    always = [header, *["a,b,1"] * 300, *["a,b,0"] * 100]
    found = rate_results(read_results(csv(tmp_path / "always.csv", *always)), anchor="b")
    assert not found.first_move
    assert found.players[0].elo == pytest.approx(400 * np.log10(300.5 / 100.5), abs=1e-6)
    # a before b, b before c: levels 2, 1, 0 explain it. With a before c they do not.
    chain = [header, *["a,b,1", "a,b,0", "b,c,1", "b,c,0"] * 20]
    assert not rate_results(read_results(csv(tmp_path / "chain.csv", *chain))).first_move
    closed = [*chain, *["a,c,1", "a,c,0"] * 20]
    assert rate_results(read_results(csv(tmp_path / "closed.csv", *closed))).first_move


BAD = [
    ("x.csv", "white,black\na,b\n", "line 1: the columns must be white,black,result or"),
    ("x.csv", "", "line 1: the columns must be"),
    ("x.csv", "first,second,score\na,b,1\na,b,0.7\n", "line 3: '0.7' is no result"),
    ("x.csv", "first,second,score\na,b,nan\n", "line 2: 'nan' is no result"),
    ("x.csv", "white,black,result\na,b\n", "line 2: two players and a result are needed"),
    ("x.csv", "white,black,result\n\na,a,1-0\n", "line 3: 'a' plays against itself"),
    ("x.csv", 'white,black,result\na,"b,1-0\n', "line 2: unexpected end of data"),
    ("x.csv", "white,black,result\n", "no game in it has a result"),
    ("x.csv", "white,black,result\na,b,*\n", "no game in it has a result"),
    ("x.pgn", "", "no game in it has a result"),
    ("x.pgn", "\n\nnonsense\n", "line 3: a game that does not name White and Black"),
    (
        "x.pgn",
        GAME.format(white="a", black="b", result="1-0")
        + GAME.format(white="a", black="b", result="2-0"),
        "line 9: the result '2-0' is none of 1-0, 0-1, 1/2-1/2 and *",
    ),
    ("x.pgn", GAME.format(white="a", black="?", result="1-0"), "line 1: a game that does not name"),
]


@pytest.mark.parametrize(("name", "text", "says"), BAD)
def test_a_bad_file_is_one_line_with_the_number_of_the_line(here, capsys, name, text, says):
    (here.folder / name).write_text(text)
    with pytest.raises(SystemExit) as stop:
        main(["rate", "--results", name])
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert err.startswith(f"arena: {name}")
    assert err.count("\n") == 1
    assert says in err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("rate", "rate takes RUN, or --results FILE"),
        ("rate a --results x.csv", "rate takes RUN, or --results FILE"),
        ("rate --results x.csv --games 5", "no games are played"),
        ("rate --results none.pgn", "none.pgn: No such file or directory"),
        ("rate --results x.csv --anchor c", "the anchor 'c' is not among the players: a, b"),
    ],
)
def test_wrong_input_is_one_line(here, capsys, line, says):
    csv(here.folder / "x.csv", "white,black,result", "a,b,1-0")
    with pytest.raises(SystemExit) as stop:
        main(line.split())
    assert stop.value.code == 2
    assert says in capsys.readouterr().err


def test_the_command_prints_a_table_or_json(here, capsys):
    lines = ["a,b,1-0", "b,a,0-1", "b,a,1/2-1/2", "b,c,1-0", "c,b,1/2-1/2", "a,c,*"]
    path = csv(here.folder / "x.csv", "white,black,result", *lines)
    main(["rate", "--results", "x.csv", "--anchor", "c", "--json"])
    out, err = capsys.readouterr()
    found = strict_json(out)
    expected = rate_results(read_results(path), anchor="c")
    assert "games without a result, left out: 1" in err
    assert (found["anchor"], found["unfinished"]) == ("c", 1)
    assert [p["name"] for p in found["players"]] == ["a", "b", "c"]
    assert found["players"][0]["elo"] == expected.players[0].elo
    assert found["first_move"]["elo"] == expected.fit.first_move
    main(["rate", "--results", "x.csv", "--anchor", "c"])
    out = capsys.readouterr().out
    assert "x.csv: Elo above c" in out
    assert f"{expected.players[0].elo:+.0f}" in out
    assert "first move: " in out
