"""Screenshots of the web app for the documentation: docs/images/web.

    python -m docs.generate.screenshots FOLDER

FOLDER has a `runs/`, at least one of them a finished league of tic-tac-toe or Connect Four. Every
page is taken at 1280 and 390 px, light and dark. Chromium is Debian's; nothing is downloaded.
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from docs.generate.facts import ROOT

PLACE = ROOT / "docs" / "images" / "web"
MOST_BYTES = 150_000
_SIZES = ((1280, 860), (390, 844))
_NET = "game=connect_four&agent=pretrained:connect_four"


def _play(page: Any, url: str) -> None:
    page.goto(f"{url}/play?{_NET}&seat=first&moves=4,4,4,4,4,5,2,2")
    page.wait_for_selector("#play[data-turn=you]")


def _analyse(page: Any, url: str) -> None:
    moves = "4,4,4,4,4,5,2,2,3,1,5,3,3,5,5"
    page.goto(f"{url}/analyse?{_NET}&other=mcts:1000&moves={moves}&ply=8")
    while int(page.locator("#one").get_attribute("data-simulations") or 0) < 500:
        page.wait_for_timeout(200)
    page.wait_for_timeout(8000)  # the curves
    page.locator("#go").click()
    page.evaluate("scrollTo(0, 0)")


def _watch(page: Any, url: str) -> None:
    page.goto(f"{url}/watch?game=connect_four")
    page.locator("#agent1").select_option("mcts:100")
    page.locator("#more").click()
    page.locator("#agent2").select_option("uniform")
    page.get_by_role("button", name="Watch").click()
    page.wait_for_selector("#show[data-over=yes]", timeout=200_000)
    page.wait_for_timeout(1500)


def _judge(page: Any, url: str) -> None:
    page.goto(f"{url}/judge?game=connect_four&kind=games")
    page.wait_for_selector("#judge[data-state=shown]", timeout=200_000)


def _replay(run: str) -> Callable[[Any, str], None]:
    def visit(page: Any, url: str) -> None:
        page.goto(f"{url}/games?run={run}")
        page.locator("table.list a").first.click()
        page.wait_for_selector("#curve svg")
        page.get_by_role("button", name="Back").click()
        page.wait_for_timeout(2000)

    return visit


def _at(path: str, wait: float = 0.5) -> Callable[[Any, str], None]:
    def visit(page: Any, url: str) -> None:
        page.goto(url + path)
        page.wait_for_timeout(1000 * wait)

    return visit


def pages(run: str) -> dict[str, Callable[[Any, str], None]]:
    """What is taken, by name.

    Args:
      run: the name of a run.
    """
    return {
        "home": _at("/"),
        "choose": _at("/play", 2),
        "play": _play,
        "chess": _at("/play?game=chess&agent=uniform&seat=first&moves=e4,e5,Nf3,Nc6,Bc4,Bc5", 3),
        "analyse": _analyse,
        "watch": _watch,
        "start": _at("/train", 2),
        "train": _at(f"/train/{run}", 5),
        "games": _at("/games", 3),
        "replay": _replay(run),
        "judge": _judge,
        "ratings": _at(f"/ratings/{run}", 5),
    }


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """`arena serve` in a folder; its address."""
    command = [sys.executable, "-c", "from league.cli.entry import main; main()"]
    server = subprocess.Popen(
        [*command, "serve", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        found = re.search(r"http://\S+:\d+", server.stdout.readline())
        assert found
        yield found[0]
    finally:
        server.terminate()
        server.wait(30)


def small(picture: bytes) -> bytes:
    """A PNG of few colours, as pages have them, at most `MOST_BYTES` long."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (128, 64, 32, 16):
        out = io.BytesIO()
        image.quantize(colours).save(out, "PNG", optimize=True)
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


def main() -> None:
    """Takes them all."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description="Screenshots of the web app.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    run = sorted(path.parent.name for path in arguments.folder.glob("runs/*/run.json"))[0]
    PLACE.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    with served(arguments.folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, visit in pages(run).items():
            if arguments.only and name not in arguments.only:
                continue
            page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
            visit(page, url)
            for width, height in _SIZES:
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    page.set_viewport_size({"width": width, "height": height})
                    page.wait_for_timeout(400)
                    path = PLACE / f"{name}-{width}-{scheme}.png"
                    path.write_bytes(small(page.screenshot()))
            page.close()


if __name__ == "__main__":
    main()
