"""What the thread that computes keeps for all visitors of a site."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from league.web.catalogue import Catalogue
from league.web.lines import Lines
from league.web.opponents import Opponents
from league.web.recorded import Recorded
from league.web.site import Site


@dataclass(frozen=True, eq=False)
class Service:
    """Games, agents and their lists, and the games that were recorded."""

    lines: Lines
    opponents: Opponents
    catalogue: Catalogue
    recorded: Recorded


_all: WeakKeyDictionary[Site, Service] = WeakKeyDictionary()


def of(site: Site) -> Service:
    """That of a site; called in its thread only."""
    if site not in _all:
        opponents = Opponents(site.settings)
        site.closing.append(opponents.close)
        catalogue = Catalogue(site.settings)
        lines = Lines(site.settings, site.secret, catalogue.run_games)
        recorded = Recorded(site.settings.folder, lines)
        _all[site] = Service(lines, opponents, catalogue, recorded)
    return _all[site]
