"""Forecasts that move what they forecast: a shared model that decides, reports that come true.

What needs neither a game nor a network: gradients of scores, and where they lead.
"""

import jax
import jax.numpy as jnp
import numpy as np

from league.lab import Figure, Results, Source, Work, near, over_seeds

SUCCESS = (0.6, 0.05, 0.3)
"""Chances of success of the actions among which a report decides."""

B, C = 0.3, 0.2
"""Without a decision a report of p makes its outcome happen with probability B + C·p."""


def _score(report: jax.Array, outcome: float) -> jax.Array:
    return -jnp.square(outcome - report)


def gradient(work: Work) -> dict[str, float]:
    """The largest deviation of the shared model's gradient from the honest one, 1,000 times."""

    def objective(reports: jax.Array, success: jax.Array) -> jax.Array:
        decision = jax.nn.softmax(5 * reports)  # the decision depends on the reports
        fixed = jax.lax.stop_gradient(reports)
        gains = [_score(reports, o) - _score(fixed, o) for o in (0.0, 1.0)]
        return (decision * ((1 - success) * gains[0] + success * gains[1])).sum()

    rng = np.random.default_rng(work.seed)
    reports, success = (jnp.asarray(rng.random((1000, 3)), jnp.float32) for _ in range(2))
    found = jax.jit(jax.vmap(jax.grad(objective)))(reports, success)
    honest = jax.nn.softmax(5 * reports) * 2 * (success - reports)
    return {"deviation": float(jnp.abs(found - honest).max())}


def shared_model(work: Work) -> dict[str, object]:
    """Learning by the honest gradient of what is taken, without and with exploration."""
    success = np.array(SUCCESS)
    found = {}
    for name, explore, steps in (("argmax", 0.0, 400), ("explored", 0.1, 4000)):
        reports, path = np.array([0.10, 0.50, 0.40]), []
        for _ in range(steps):
            decision = np.full(3, explore / 3)
            decision[reports.argmax()] += 1 - explore
            reports = reports + 0.05 * decision * 2 * (success - reports)
            path.append(reports)
        every = steps // 100
        utility = float(success[reports.argmax()])
        found[name] = {"reports": reports, "utility": utility, "path": path[::every]}
    return found


def no_decision(work: Work) -> dict[str, object]:
    """Reports that make their own outcome: where gradients lead."""
    rate, steady = 0.1, B / (1 - C)
    report, deviation = 0.9, 0.0
    for step in range(1, 301):
        report += 2 * rate * (B + C * report - report)
        law = steady + (1 - 2 * rate * (1 - C)) ** step * (0.9 - steady)
        deviation = max(deviation, abs(report - law))

    def score(p: float, q: float) -> float:
        return -(q * (1 - p) ** 2 + (1 - q) * p**2)

    def rival(pair: np.ndarray) -> np.ndarray:
        """Each seat's gradient of its score less the other's; both move the outcome by half."""
        odds, lead = B + C * pair.mean(), pair - pair[::-1]
        return 2 * odds + C * lead - 2 * pair

    grid = np.linspace(0, 1, 100_001)
    best = float(grid[np.argmax(score(grid, B + C * grid))])  # type: ignore[arg-type]
    pair = np.array([0.9, 0.1])
    for _ in range(3000):
        pair = pair + rate * rival(pair)
    prophecies = {}
    for start in (0.49, 0.51):
        p = start
        for _ in range(1000):
            p += 0.5 * (1 / (1 + np.exp(-8 * (p - 0.5))) - p)
        prophecies[f"{start}"] = float(p)
    return {
        "steady": report,
        "deviation": deviation,
        "best": best,
        "zero_sum": float(abs(pair - steady).max()),
        "prophecies": prophecies,
    }


def shared_figures(results: Results) -> list[Figure]:
    """Of the gradient, and of where it leads with and without exploration."""
    stuck, free = (results["shared-model"][0][name] for name in ("argmax", "explored"))
    found = [
        Figure(
            "shared model, deviation of the gradient",
            near(0, 1e-6, "every"),
            over_seeds([one["deviation"] for one in results["gradient"]]),
            Source.THEOREM,
            "π_a·2(q_a − p_a), in f32",
        )
    ]
    for one, name, wanted, within in (
        (stuck, "highest report decides", (0.10, 0.29, 0.30), 0.005),
        (free, "10 % of decisions drawn evenly", SUCCESS, 0.005),
    ):
        found += [
            Figure(
                f"shared model, {name}: report {a + 1}",
                near(wanted[a], within),
                over_seeds([one["reports"][a]]),
                Source.RECOMPUTED,
            )
            for a in range(3)
        ]
    found.append(
        Figure(
            "shared model, highest report decides: utility",
            near(0.3, 1e-9),
            over_seeds([stuck["utility"]]),
            Source.RECOMPUTED,
        )
    )
    return found


def undecided_figures(results: Results) -> list[Figure]:
    """Of reports that make their own outcome."""
    one = results["no-decision"][0]
    wanted = (
        ("honest fixed point b/(1 − c)", B / (1 - C), one["steady"], 1e-9),
        ("deviation from (1 − 2η(1 − c))^t", 0.0, one["deviation"], 1e-12),
        ("best report for one that sees its effect", (B - C / 2) / (1 - 2 * C), one["best"], 1e-5),
        ("zero-sum predictors, distance from the honest point", 0.0, one["zero_sum"], 1e-9),
        ("prophecy from .49", 0.0212, one["prophecies"]["0.49"], 5e-5),
        ("prophecy from .51", 0.9788, one["prophecies"]["0.51"], 5e-5),
    )
    return [
        Figure(what, near(value, within), over_seeds([measured]), Source.RECOMPUTED)
        for what, value, measured, within in wanted
    ]
