"""What a visitor may carry but not read: the deal of a game of chance, the course of a hidden one.

An address must bring a position back, and yet not tell what is to come. In a game of chance it has
a random name, `deal`, from which only this server makes the seed. In a game of hidden information
it may not even have the moves, since some of them are hidden: there `deal` is all of it, encrypted,
for one seat of one game alone. The other seat's address cannot be made from it.
"""

import base64
import hmac
import json
import secrets
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken

from arena.errors import SEEDS, UserError

_BLOCK = 96
"""Lengths are rounded up to a multiple of it, as a length may tell how many moves there were."""


def fresh_deal() -> str:
    """A name for a deal that nobody has had."""
    return secrets.token_urlsafe(9)


def seed_of(secret: bytes, game: str, deal: str) -> int:
    """The seed that a deal stands for, below 2³²; who does not know the secret cannot tell."""
    text = json.dumps(["deal", game, deal]).encode()
    return int.from_bytes(hmac.new(secret, text, sha256).digest()[:4], "big") % SEEDS


def fresh_seed() -> int:
    """A random seed."""
    return secrets.randbelow(SEEDS)


def seal(secret: bytes, game: str, seat: int, *, seed: int, moves: tuple[int, ...]) -> str:
    """A game so far, as seen from one seat, which only this server can read."""
    text = json.dumps([game, seat, seed, moves], separators=(",", ":")).encode()
    return _cipher(secret).encrypt(text.ljust(-(-len(text) // _BLOCK) * _BLOCK)).decode()


def unseal(secret: bytes, game: str, seat: int, deal: str) -> tuple[int, tuple[int, ...]]:
    """The seed and the moves of a sealed game.

    Raises:
      UserError: it was not sealed by this server, or for another game or seat.
    """
    try:
        held = json.loads(_cipher(secret).decrypt(deal.encode()))
    except (InvalidToken, ValueError):
        raise UserError("this deal is not one of this server; begin a new game") from None
    if held[:2] != [game, seat]:
        raise UserError("this deal is of another game or seat; begin a new game")
    return held[2], tuple(held[3])


def _cipher(secret: bytes) -> Fernet:
    key = hmac.new(secret, b"sealed games", sha256).digest()
    return Fernet(base64.urlsafe_b64encode(key))
