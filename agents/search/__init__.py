"""Batched tree search with the true rules: one kernel, and recipes over it."""

from agents.search.analysis import TreeAnalyst, TreeSearch, analyst
from agents.search.evaluation import (
    CachedEvaluate,
    Evaluate,
    check_searchable,
    evaluate_root,
    with_cache,
)
from agents.search.gumbel import PolicyOutput, gumbel
from agents.search.kernel import Kernel, Progress, Root, RootSummary, search
from agents.search.puct import dirichlet, puct
from agents.search.tree import Edges, Select
from agents.search.uct import uct

__all__ = [
    "CachedEvaluate",
    "Edges",
    "Evaluate",
    "Kernel",
    "PolicyOutput",
    "Progress",
    "Root",
    "RootSummary",
    "Select",
    "TreeAnalyst",
    "TreeSearch",
    "analyst",
    "check_searchable",
    "dirichlet",
    "evaluate_root",
    "gumbel",
    "puct",
    "search",
    "uct",
    "with_cache",
]
