"""The meta-game: planted equilibria, and other people's Nash averaging and alpha-rank."""

import time

import numpy as np
import pytest
from open_spiel.python.algorithms.nash_averaging import _max_entropy_symmetric_nash
from open_spiel.python.egt import alpharank

from arena.evaluation import metagame, ratings

RPS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


def random(n, seed):
    half = np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n))
    return half - half.T


def coarse(n, seed):
    """Payoffs of -1, 0 and 1: ties and equilibria abound."""
    half = np.random.default_rng(seed).integers(-1, 2, (n, n))
    return np.sign(half - half.T).astype(float)


def copied(n, seed):
    """A random pool in which every agent stands several times, or not at all."""
    index = np.random.default_rng(seed).integers(0, n, 4 * n)
    return random(n, seed)[np.ix_(index, index)]


def disc(n, seed):
    """A disc game: every mixture whose mean is the centre is an equilibrium."""
    u, w = np.random.default_rng(seed).uniform(-0.7, 0.7, (2, n))
    return np.outer(u, w) - np.outer(w, u)


def ladder(n, seed=0):
    """Every agent beats all before it."""
    skill = np.random.default_rng(seed).exponential(size=n).cumsum()
    return np.tanh(skill[:, None] - skill)


POOLS = {
    f"{kind.__name__} {n}": kind(n, n)
    for kind in (random, coarse, copied, disc, ladder)
    for n in (2, 3, 5, 8, 13)
}
POOLS |= {"one": np.zeros((1, 1)), "ties": np.zeros((6, 6)), "rps": RPS}


def entropy(mixture):
    mass = mixture[mixture > 0]
    return -(mass * np.log(mass)).sum()


def test_rock_paper_scissors_is_played_evenly():
    found = metagame.nash(RPS)
    assert found.mixture == pytest.approx(1 / 3, abs=1e-12)
    assert found.skill == pytest.approx(0, abs=1e-12)


def test_weighted_rock_paper_scissors_has_its_closed_form():
    # Each is played as often as the duel of the other two counts.
    a, b, c = 0.9, 0.3, 0.2
    payoffs = np.array([[0, -a, b], [a, 0, -c], [-b, c, 0]])
    found = metagame.nash(payoffs)
    assert found.mixture == pytest.approx(np.array([c, b, a]) / (a + b + c), abs=1e-7)


def test_the_best_of_a_ladder_gets_all():
    for n in (2, 5, 50):
        payoffs = ladder(n)
        found = metagame.nash(payoffs)
        assert found.mixture.tolist() == [0] * (n - 1) + [1]
        assert found.skill == pytest.approx(payoffs[:, -1])


def test_dominated_agents_get_nothing():
    # Three that lose to each of rock, paper and scissors, whatever they do among themselves.
    payoffs = np.block([[RPS, np.full((3, 3), 0.1)], [np.full((3, 3), -0.1), random(3, 0)]])
    found = metagame.nash(payoffs)
    assert found.mixture[:3] == pytest.approx(1 / 3, abs=1e-7)
    assert found.mixture[3:].tolist() == [0, 0, 0]
    assert found.skill[3:] == pytest.approx(-0.1)


def test_copies_share_and_take_nothing_from_others():
    copies = [0, 0, 0, 1, 2, 2]
    found = metagame.nash(RPS[np.ix_(copies, copies)])
    assert found.mixture == pytest.approx([1 / 9, 1 / 9, 1 / 9, 1 / 3, 1 / 6, 1 / 6], abs=1e-7)
    for seed in range(20):
        payoffs, index = random(5, seed), np.random.default_rng(seed).integers(0, 5, 12)
        index = np.concatenate([np.arange(5), index])
        alone, crowd = metagame.nash(payoffs), metagame.nash(payoffs[np.ix_(index, index)])
        shared = alone.mixture / np.bincount(index)
        assert crowd.mixture == pytest.approx(shared[index], abs=1e-5)
        assert crowd.skill == pytest.approx(alone.skill[index], abs=1e-5)


def test_a_mixture_of_others_is_not_needed_but_may_share():
    # The fourth plays rock, paper and scissors evenly by itself. By symmetry the three have mass p
    # each and it has 1 - 3p; the entropy is largest where all are alike.
    even = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3]])
    assert metagame.nash(even @ RPS @ even.T).mixture == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("name", POOLS)
def test_it_is_an_equilibrium_and_says_what_it_pays(name):
    payoffs = POOLS[name]
    found = metagame.nash(payoffs)
    assert (found.mixture >= 0).all()
    assert found.mixture.sum() == pytest.approx(1, abs=1e-12)
    assert found.skill == pytest.approx(payoffs @ found.mixture, abs=1e-12)
    assert metagame.worst_case(payoffs, found.mixture) >= -1e-8
    assert abs(found.skill[found.mixture > 1e-4]).max() < 1e-4


@pytest.mark.parametrize("name", POOLS)
def test_agrees_with_openspiels_nash_averaging(name):
    # Its solver stops at 1e-8 of the entropy, which is flat: that is 1e-4 of the mixture.
    theirs = _max_entropy_symmetric_nash(POOLS[name], 0.0)[:, 0]
    found = metagame.nash(POOLS[name])
    assert found.mixture == pytest.approx(theirs, abs=2e-4)
    assert entropy(found.mixture) >= entropy(np.maximum(theirs, 0)) - 1e-5


def test_errors_in_the_payoffs_cost_no_more_than_they_are():
    # Balduzzi et al. 2018, section 4: the Nash average is continuous in this sense.
    rng = np.random.default_rng(0)
    for size in (1e-12, 1e-9, 1e-6, 1e-3):
        for payoffs in POOLS.values():
            error = rng.uniform(-size / 2, size / 2, payoffs.shape)
            found = metagame.nash(payoffs + error - error.T)
            assert metagame.worst_case(payoffs, found.mixture) >= -size - 2e-6


@pytest.mark.slow
@pytest.mark.parametrize("kind", [random, coarse, disc, ladder])
def test_two_hundred_agents_take_less_than_seconds(kind):
    payoffs, seconds = kind(200, 0), []
    for _ in range(3):  # 0.2 s on an idle core; others may be at work
        began = time.perf_counter()
        found = metagame.nash(payoffs)
        seconds.append(time.perf_counter() - began)
        assert metagame.worst_case(payoffs, found.mixture) >= -1e-7
    assert min(seconds) < 5


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize(("alpha", "population"), [(0.1, 50), (1, 50), (10, 20)])
def test_agrees_with_openspiels_alpha_rank(name, alpha, population):
    _, _, theirs, *_ = alpharank.compute([POOLS[name]], m=population, alpha=alpha)
    assert metagame.alpha_rank(POOLS[name], alpha=alpha, population=population) == pytest.approx(
        theirs, abs=1e-9
    )


@pytest.mark.parametrize("name", POOLS)
def test_agrees_with_openspiels_alpha_rank_in_the_limit(name):
    # It perturbs the chain and we do not; the difference shrinks with the perturbation.
    _, _, theirs, *_ = alpharank.compute([POOLS[name]], use_inf_alpha=True, inf_alpha_eps=1e-8)
    assert metagame.alpha_rank(POOLS[name]) == pytest.approx(theirs, abs=1e-6)


def test_alpha_rank_of_planted_pools():
    assert metagame.alpha_rank(RPS) == pytest.approx(1 / 3)
    assert metagame.alpha_rank(ladder(20)) == pytest.approx(np.eye(20)[19])
    assert metagame.alpha_rank(np.zeros((4, 4))) == pytest.approx(0.25)
    # Rock has a copy. Paper takes over from either of them and falls to scissors alone; scissors
    # falls to two. So what flows is p / 3 = (r + r) / 3 = 2 s / 3.
    copies = [0, 0, 1, 2]
    found = metagame.alpha_rank(RPS[np.ix_(copies, copies)])
    assert found == pytest.approx([0.2, 0.2, 0.4, 0.2])
    # Without ties, an infinite intensity is the limit of large ones.
    limit = metagame.alpha_rank(random(10, 1))
    assert metagame.alpha_rank(random(10, 1), alpha=1e6) == pytest.approx(limit, abs=1e-9)


def chances(elo, cyclic):
    """Win probabilities of mElo, straight from Balduzzi et al. 2018, section 3."""
    odds = (elo[:, None] - elo) / ratings.ELO
    for u, w in np.moveaxis(cyclic, 0, 2):
        odds = odds + np.outer(u, w) - np.outer(w, u)
    return 1 / (1 + np.exp(-odds))


def test_melo_recovers_a_planted_pool():
    rng = np.random.default_rng(0)
    elo, cyclic = rng.normal(0, 200, 12), rng.normal(0, 1, (12, 2, 2))
    # What the planes tell of ratings belongs to the ratings: planes have their mean at 0.
    elo, cyclic = elo - elo.mean(), cyclic - cyclic.mean(0)
    planted = chances(elo, cyclic)
    found = metagame.melo(2 * planted - 1, 2)
    assert found.elo == pytest.approx(elo)
    assert found.predict() == pytest.approx(planted)
    assert chances(found.elo, found.cyclic) == pytest.approx(planted)
    assert found.cyclic.mean(0) == pytest.approx(0, abs=1e-9)
    assert metagame.melo(2 * planted - 1, 6).predict() == pytest.approx(planted)


def test_melo_of_rock_paper_scissors_sees_the_cycle_and_no_skill():
    found = metagame.melo(0.8 * RPS)
    assert found.elo == pytest.approx(0)
    assert found.predict() == pytest.approx((1 + 0.8 * RPS) / 2)
    # Alike and a third of a turn apart.
    angles = np.sort(np.arctan2(*found.cyclic[:, 0].T))
    assert np.diff(angles) == pytest.approx(2 * np.pi / 3)


def test_melo_without_planes_is_elo():
    payoffs = ladder(6)
    found = metagame.melo(payoffs, 0)
    skill = np.random.default_rng(0).exponential(size=6).cumsum()
    # tanh(d) is the payoff of players whose log odds differ by 2 d.
    assert found.elo == pytest.approx(2 * ratings.ELO * (skill - skill.mean()))
    assert found.predict() == pytest.approx((1 + payoffs) / 2)


def loss(predicted, rows):
    """Log loss a game of predictions f64[n, n] on results without draws."""
    a, b, wins, _, losses = rows.T
    told = wins * np.log(predicted[a, b]) + losses * np.log(predicted[b, a])
    return -told.sum() / (wins + losses).sum()


def test_melo_predicts_cyclic_pools_better_than_elo_and_no_ladder_worse():
    rng = np.random.default_rng(1)
    i, j = np.triu_indices(12, 1)

    def play(truth):
        wins = rng.binomial(400, truth[i, j])
        return np.column_stack([i, j, wins, 0 * wins, 400 - wins])

    for cycles in (0.0, 1.5):
        truth = chances(rng.normal(0, 100, 12), rng.normal(0, cycles, (12, 1, 2)))
        seen, unseen = play(truth), play(truth)
        fit = ratings.fit(seen, 12)
        elo = ratings.expected_score(fit, np.arange(12)[:, None], np.arange(12))
        melo = metagame.melo(metagame.payoffs(seen, 12)).predict()
        gain = loss(elo, unseen) - loss(melo, unseen)
        assert gain > 0.1 if cycles else gain > -0.002


def test_payoffs_are_what_was_played():
    rows = [(0, 1, 600_000, 100_000, 300_000), (1, 2, 0, 10**6, 0), (2, 1, 0, 10**6, 0)]
    found = metagame.payoffs(rows, 4)
    assert found[0, 1] == pytest.approx(0.3, abs=1e-5)
    assert found[1, 2] == pytest.approx(0, abs=1e-5)
    # 0 and 2 never met: the ratings expect what 0 did to 1. Of 3 nobody knows anything.
    assert found[0, 2] == pytest.approx(0.3, abs=0.02)
    assert (found == -found.T).all()
    assert metagame.payoffs([], 3).tolist() == np.zeros((3, 3)).tolist()
    assert metagame.payoffs([], 1).tolist() == [[0]]


def test_few_games_do_not_say_all():
    # Two virtual games, each expected to go as Elo has it, about (1.5 - 0.5) / 2 = 0.5.
    found = metagame.payoffs([(0, 1, 1, 0, 0)], 2)[0, 1]
    expected = 2 * ratings.expected_score(ratings.fit([(0, 1, 1, 0, 0)], 2), 0, 1) - 1
    assert found == pytest.approx((1 + 2 * expected) / 3)
    assert 0.3 < found < 0.7


def test_worst_case():
    assert metagame.worst_case(RPS, [1, 0, 0]) == -1
    assert metagame.worst_case(RPS, [0.5, 0.5, 0]) == pytest.approx(-0.5)
    assert metagame.worst_case(RPS[:, :1], [0, 0.5, 0.5]) == 0  # against rock alone


@pytest.mark.parametrize(
    ("payoffs", "message"),
    [
        ([[0, 1], [1, 0]], "antisymmetric"),
        ([[1]], "antisymmetric"),
        ([[0, np.nan], [np.nan, 0]], "must have met"),
        ([[0, 1]], r"shape \[n, n\]"),
        (np.zeros((0, 0)), "n > 0"),
        ([0, 1], "shape"),
    ],
)
def test_what_is_no_meta_game_is_refused_in_one_line(payoffs, message):
    for analyse in (metagame.nash, metagame.alpha_rank, metagame.melo):
        with pytest.raises(ValueError, match=message) as error:
            analyse(payoffs)
        assert "\n" not in str(error.value)


def test_bad_questions_are_refused():
    with pytest.raises(ValueError, match="alpha must be positive"):
        metagame.alpha_rank(RPS, alpha=0)
    with pytest.raises(ValueError, match="alpha must be positive"):
        metagame.alpha_rank(RPS, alpha=np.nan)
    with pytest.raises(ValueError, match="population 2 or more"):
        metagame.alpha_rank(RPS, alpha=1, population=1)
    with pytest.raises(ValueError, match="strictly between"):
        metagame.melo(RPS)
    with pytest.raises(ValueError, match="k must lie between 0 and 1 for 3 agents"):
        metagame.melo(RPS / 2, 2)
    for mixture in ([1, 0], [0.5, 0.5, 0.5], [1.5, -0.5, 0], [np.nan, 0, 1]):
        with pytest.raises(ValueError, match="a mixture of 3 agents"):
            metagame.worst_case(RPS, mixture)
    with pytest.raises(ValueError, match="negative count"):
        metagame.payoffs([(0, 1, -1, 0, 0)], 2)
