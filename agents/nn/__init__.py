"""Networks, and the cache of their evaluations."""

from agents.nn.convnet import ConvNetConfig
from agents.nn.mlp import MLPConfig
from agents.nn.network import Network, NetworkConfig, TowerConfig
from agents.nn.networks import NETWORKS
from agents.nn.resnet import ResNetConfig
from agents.nn.transformer import TransformerConfig

__all__ = [
    "NETWORKS",
    "ConvNetConfig",
    "MLPConfig",
    "Network",
    "NetworkConfig",
    "ResNetConfig",
    "TowerConfig",
    "TransformerConfig",
]
