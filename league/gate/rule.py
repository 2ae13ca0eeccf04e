"""The rule of a gate, and the question that it answers."""

import dataclasses
from dataclasses import dataclass
from statistics import NormalDist

from arena.errors import PAIRS, UserError, check_positive
from arena.evaluation.sprt import Sprt
from league.settings.json_object import JsonObject

_FORMER_NAMES = {"most": "max_pairs", "veto": "heldout_pairs"}
"""Fields of a rule in records of older versions, and what they are now."""

_ELO = 10_000


@dataclass(frozen=True)
class Rule:
    """How candidates are tested.

    A candidate that beats the champion must then pass a number of checks: one a held-out opponent
    or former champion, and one of move accuracy where exact values are known.

    Attributes:
      elo0: nElo against the champion at which a candidate is promoted with probability alpha at
        most.
      elo1: nElo at which it is refused with probability beta at most.
      alpha: probability of a false promotion.
      beta: probability of a false refusal.
      pairs: pairs of games that choose among the candidates, and that the test plays at a time.
      max_pairs: pairs after which the test ends undecided, and the candidate is refused.
      heldout_pairs: pairs against each held-out opponent and each former champion.

    Raises:
      UserError: figures that make no test.
    """

    elo0: float = 0.0
    elo1: float = 25.0
    alpha: float = 0.05
    beta: float = 0.05
    pairs: int = 64
    max_pairs: int = 4096
    heldout_pairs: int = 128

    def __post_init__(self):
        if not max(abs(self.elo0), abs(self.elo1)) <= _ELO:
            raise UserError(f"elo0 and elo1 must lie between -{_ELO:,} and {_ELO:,}")
        try:
            Sprt(self.elo0, self.elo1, self.alpha, self.beta)
        except ValueError as error:
            raise UserError(str(error)) from None
        check_positive(self, "pairs", "max_pairs", "heldout_pairs", most=PAIRS)

    def test(self, checks: int) -> Sprt:
        """The sequential test against the champion; it leaves half of beta to the checks."""
        share = 2 if checks else 1
        return Sprt(self.elo0, self.elo1, self.alpha, self.beta / share)

    def check_alpha(self, checks: int) -> float:
        """The significance level of each of so many checks, half of beta in all (Bonferroni)."""
        return self.beta / 2 / checks

    def critical_z(self, checks: int) -> float:
        """Standard errors below one half from which on a score counts as lost."""
        return NormalDist().inv_cdf(1 - self.check_alpha(checks))


@dataclass(frozen=True)
class Question:
    """What is settled before the first game of a gate; equal questions are the same gate.

    Attributes:
      candidates: snapshots, newest first.
      champion: the reigning one.
      former: champions before.
      against: names and digests of the held-out opponents; no digest where there are no weights.
      simulations: of the search that all snapshots play with.
      plies: openings are up to so many random moves long.
      newest: generations whose openings training has seen.
      rule: how candidates are tested.
      judge: the name of who says who won.
    """

    candidates: list[int]
    champion: int
    former: list[int]
    against: dict[str, str]
    simulations: int
    plies: int
    newest: int
    rule: Rule
    judge: str = "rules"

    def to_json(self) -> JsonObject:
        """As the record holds it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, stored: JsonObject) -> "Question":
        """The question in a record, of an older version too."""
        fields = dict(stored)
        stored_rule: JsonObject = fields.pop("rule")
        rule = {_FORMER_NAMES.get(name, name): value for name, value in stored_rule.items()}
        return cls(**fields, rule=Rule(**rule))
