"""How to choose a move, and how to learn to: one file an agent.

`make` gives agents by name, `analyst` lets one that searches analyse. Learners are in
`agents.learners`, networks in `agents.nn`, searches in `agents.search`.
"""

from agents.registry import exists, make
from agents.search.analysis import TreeAnalyst, analyst

__all__ = ["TreeAnalyst", "analyst", "exists", "make"]
