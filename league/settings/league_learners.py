"""Who learns in a league: the main agent, and exploiters that find what it does badly.

    main              meets itself, and snapshots of the pool that the matchmaker draws
    main exploiter    meets the current main agent alone
    league exploiter  meets the whole pool, most often those it loses to

An exploiter joins the pool, where the main agent then meets it too, as soon as it scores more than
70 % in a generation's training games, or has trained for so many generations. Having joined, a main
exploiter starts over, and a league exploiter does so with a chance of 25 %. These are the roles of
AlphaStar (O. Vinyals et al., "Grandmaster level in StarCraft II using multi-agent reinforcement
learning", Nature 575, 2019, Methods). There an exploiter starts over as what was learnt from
people's games; here, where nobody's games are at hand, as a copy of the main agent of that day.

Nothing decides whether the main agent's snapshots join: all of them do. A gate would starve the
pool of the variety that it is for.

`17` is the main agent after generation 17, and `17e2` the league's second exploiter after it.
"""

from dataclasses import dataclass

from league.settings.config import Config

MAIN, MAIN_EXPLOITER, LEAGUE_EXPLOITER = "main", "main exploiter", "league exploiter"


@dataclass(frozen=True)
class Member:
    """One who learns.

    Attributes:
      role: one of the three.
      number: of an exploiter, from 1; 0 is the main agent.
    """

    role: str
    number: int

    @property
    def mark(self) -> str:
        """What its names end with: e2 for the second exploiter, nothing for the main agent."""
        return f"e{self.number}" if self.number else ""

    def name(self, generation: int) -> str:
        """Its name after a generation."""
        return f"{generation}{self.mark}"


def members(config: Config) -> list[Member]:
    """All who learn in a league, the main agent first."""
    kinds = [MAIN_EXPLOITER] * config.main_exploiters + [
        LEAGUE_EXPLOITER
    ] * config.league_exploiters
    return [Member(role, number) for number, role in enumerate([MAIN, *kinds])]
