"""Batched tree search with the true rules: one kernel (`tree`), and recipes over it."""

from agents.search.gumbel import Improved, gumbel
from agents.search.puct import dirichlet, puct
from agents.search.tree import Edges, Evaluate, Found, Recall, Root, begin, check, search
from agents.search.uct import uct

__all__ = [
    "Edges",
    "Evaluate",
    "Found",
    "Improved",
    "Recall",
    "Root",
    "begin",
    "check",
    "dirichlet",
    "gumbel",
    "puct",
    "search",
    "uct",
]
