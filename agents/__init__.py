"""How to choose a move, and how to learn to: one file an agent.

Agents by name are `registry`'s, learners are in `learners`, searches in `search`, networks in `nn`.
`policies` has the policy by network and search; `mcts`, `uniform`, `user_policy` and `engines` are
agents that need no training.
"""

__all__ = ["engines", "learners", "mcts", "nn", "policies", "registry", "search", "uniform"]
