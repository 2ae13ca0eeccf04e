"""What the thread that computes keeps for all visitors of a site."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from league.web.catalogue import Catalogue
from league.web.lines import Lines
from league.web.opponents import Opponents
from league.web.site import Site


@dataclass(frozen=True, eq=False)
class Service:
    """Games, agents and their lists."""

    lines: Lines
    opponents: Opponents
    catalogue: Catalogue


_all: WeakKeyDictionary[Site, Service] = WeakKeyDictionary()


def of(site: Site) -> Service:
    """That of a site; called in its thread only."""
    if site not in _all:
        opponents = Opponents(site.settings)
        site.closing.append(opponents.close)
        catalogue = Catalogue(site.settings)
        lines = Lines(site.settings, site.secret, catalogue.run_games)
        _all[site] = Service(lines, opponents, catalogue)
    return _all[site]
