"""Liar's dice's proof."""

from functools import partial

from tests.helpers.lockstep import OpenSpiel

LOCKSTEP = {
    "liars_dice": partial(OpenSpiel, "liars_dice"),
    "liars_dice:sides=3": partial(OpenSpiel, "liars_dice(dice_sides=3)"),
    "liars_dice:dice=2,sides=2": partial(OpenSpiel, "liars_dice(numdice=2,dice_sides=2)"),
    "liars_dice:dice=2": partial(OpenSpiel, "liars_dice(numdice=2)"),
    "liars_dice:dice=3,sides=5": partial(OpenSpiel, "liars_dice(numdice=3,dice_sides=5)"),
}
STATE_BYTES = 8
