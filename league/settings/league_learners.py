"""Who learns in a league: the main agent, and exploiters that find its weaknesses.

    main              meets itself, and snapshots of the pool that the matchmaker draws
    main exploiter    meets the current main agent alone
    league exploiter  meets the whole pool, most often those it loses to

These are the roles of AlphaStar (O. Vinyals et al., "Grandmaster level in StarCraft II using
multi-agent reinforcement learning", Nature 575, 2019, Methods). When an exploiter joins the pool,
and when it starts over, is in `league/training/exploiters.py`.
"""

from dataclasses import dataclass

from league.settings.config import Config

MAIN, MAIN_EXPLOITER, LEAGUE_EXPLOITER = "main", "main exploiter", "league exploiter"


@dataclass(frozen=True)
class LeagueLearner:
    """One of those who learn.

    Attributes:
      role: MAIN, MAIN_EXPLOITER or LEAGUE_EXPLOITER.
      number: of an exploiter, from 1; 0 is the main agent.
    """

    role: str
    number: int

    @property
    def suffix(self) -> str:
        """The end of its snapshots' ids: e2 for the second exploiter, empty for the main agent."""
        return f"e{self.number}" if self.number else ""

    def snapshot_id(self, generation: int) -> str:
        """The id of its snapshot after a generation: `17`, or `17e2`."""
        return f"{generation}{self.suffix}"


def league_learners(config: Config) -> list[LeagueLearner]:
    """All who learn in a league, the main agent first; each stands at its number."""
    roles = [
        MAIN,
        *[MAIN_EXPLOITER] * config.main_exploiters,
        *[LEAGUE_EXPLOITER] * config.league_exploiters,
    ]
    return [LeagueLearner(role, number) for number, role in enumerate(roles)]
