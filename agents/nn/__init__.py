"""Networks, and the cache of their evaluations."""

from agents.nn.networks import (
    NETWORKS,
    MLPConfig,
    Network,
    NetworkConfig,
    ResNetConfig,
    TransformerConfig,
)

__all__ = [
    "NETWORKS",
    "MLPConfig",
    "Network",
    "NetworkConfig",
    "ResNetConfig",
    "TransformerConfig",
]
