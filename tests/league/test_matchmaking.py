"""Matchmakers give probabilities, and prefer whom they say they prefer."""

import numpy as np
import pytest

from arena.errors import UserError
from arena.evaluation import metagame
from league.settings import matchmaking
from league.settings.matchmaking import MATCHMAKERS, Pool, find, losses
from tests.helpers.command import GENERATIONS, TINY, Place

RECORDS = {
    "one": np.array([0.3]),
    "even": np.full(5, 0.5),
    "mixed": np.array([0.9, 0.01, 0.5, 0.2]),
    "beaten": np.full(3, 1e-6),
}
ROCK_PAPER_SCISSORS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


def pool(losses) -> Pool:
    """A pool by chances to lose, each better than the one before it."""
    age = np.arange(len(losses))
    return Pool(np.array(losses, float), lambda: np.tanh(age[:, None] - age))


def weigh(text: str, losses) -> list[float]:
    return find(text)(pool(losses)).tolist()


@pytest.mark.parametrize("text", [*MATCHMAKERS, "pfsp:0.5", "pfsp:16", "0.5*latest + 0.5*pfsp:3"])
@pytest.mark.parametrize("record", RECORDS)
def test_weights_are_a_distribution(text, record):
    weights = find(text)(pool(RECORDS[record]))
    assert weights.shape == RECORDS[record].shape
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)


def test_each_prefers_whom_it_should():
    assert weigh("latest", RECORDS["mixed"]) == [0, 0, 0, 1]
    assert weigh("uniform", RECORDS["mixed"]) == [0.25] * 4
    # f_hard of Vinyals et al. 2019 with p = 2: twice the chance to lose weighs four times.
    assert weigh("pfsp", [0.2, 0.4]) == pytest.approx([0.2, 0.8])
    assert weigh("pfsp:1", [0.2, 0.6]) == pytest.approx([0.25, 0.75])
    assert weigh("pfsp:3", [0.2, 0.4]) == pytest.approx([1 / 9, 8 / 9])
    # f_var: x (1 - x), alike for those it beats and those it loses to, most for equals.
    assert weigh("pfsp:even", [0.1, 0.9, 0.5]) == pytest.approx([9 / 43, 9 / 43, 25 / 43])


def test_pfsp_is_to_the_bit_what_it_was():
    # Runs that have begun go on to the same bits.
    chances = np.random.default_rng(0).random(1000)
    square = np.square(chances)
    assert (find("pfsp")(pool(chances)) == square / square.sum()).all()


def test_nash_is_that_of_the_pool():
    played = Pool(np.array([0.9, 0.1, 0.5]), lambda: ROCK_PAPER_SCISSORS)
    assert find("nash")(played) == pytest.approx(1 / 3)
    # A pool that only gets better has its newest member as its equilibrium.
    assert weigh("nash", [0.9, 0.1, 0.5]) == [0, 0, 1]


def test_nash_of_a_played_pool():
    # Rock, paper, scissors and a fourth that lost to everyone; games won by 100 to 0.
    rows = [(1, 0, 100, 0, 0), (2, 1, 100, 0, 0), (0, 2, 100, 0, 0)]
    rows += [(opponent, 3, 100, 0, 0) for opponent in range(3)]
    found = find("nash")(Pool(np.full(4, 0.5), lambda: metagame.payoffs(rows, 4)))
    assert found == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0], abs=1e-6)


def test_payoffs_are_not_asked_for_in_vain():
    def refuse() -> np.ndarray:
        raise AssertionError

    for text in ("latest", "uniform", "pfsp", "pfsp:even", "0.5*latest+0.5*pfsp:3"):
        find(text)(Pool(np.array([0.2, 0.4]), refuse))


def test_a_mixture_adds_its_parts():
    assert weigh("0.5*latest+0.5*uniform", [0.5, 0.5]) == [0.25, 0.75]
    assert weigh(" 0.25*latest + .75*pfsp:1 ", [0.2, 0.6]) == pytest.approx([0.1875, 0.8125])
    assert weigh("1*latest", [0.5, 0.5]) == weigh("latest", [0.5, 0.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nobody", "no matchmaker 'nobody'"),
        ("", "no matchmaker ''"),
        ("latest+", "no matchmaker ''"),
        ("0.5*latest+0.5*nobody", "no matchmaker 'nobody'"),
        ("pfsp:", "no matchmaker 'pfsp:'"),
        ("pfsp:0", "no matchmaker 'pfsp:0'"),
        ("pfsp:-1", "no matchmaker 'pfsp:-1'"),
        ("pfsp:17", "no matchmaker 'pfsp:17'"),
        ("pfsp:nan", "no matchmaker 'pfsp:nan'"),
        ("nash:2", "no matchmaker 'nash:2'"),
        ("latest+uniform", "do not add to 1"),
        ("0.5*latest", "do not add to 1"),
        ("0.5*latest+0.6*pfsp", "do not add to 1"),
        ("half*latest+0.5*pfsp", r"between 0 and 1: 'half\*latest'"),
        ("-0.5*latest+1.5*pfsp", "between 0 and 1"),
        ("0*latest+1*pfsp", "between 0 and 1"),
        ("nan*latest", "between 0 and 1"),
        ("*latest", "between 0 and 1"),
    ],
)
def test_what_names_no_matchmaker_is_refused_in_one_line(text, message):
    with pytest.raises(UserError, match=message) as error:
        find(text)
    assert "\n" not in str(error.value)


def test_the_docstring_tells_of_every_matchmaker():
    assert all(f"\n    {name} " in str(matchmaking.__doc__) for name in set(MATCHMAKERS))


def test_losses_follow_the_games_and_write_nobody_off():
    # (points + 1) / (games + 2), the rule of succession
    scores, games = np.array([0.0, 8.0, 0.0, 4.0]), np.array([0.0, 8.0, 8.0, 8.0])
    assert losses(scores, games) == pytest.approx([0.5, 0.1, 0.9, 0.5])


def test_a_league_trains_with_a_mixture(place: Place):
    *_, last = place.lines(*TINY, "--matchmaker", "0.5*nash+0.5*pfsp:even", "--pool-share", "1")
    assert len(last["snapshots"]) == GENERATIONS + 1
