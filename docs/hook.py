"""Adds the pages and pictures that are made from the code to the site; see mkdocs.yml."""

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import games
from docs.generate import (
    api,
    benchmarks,
    facts,
    game_pages,
    imports,
    judges,
    laboratory,
    nets,
    plots,
    scale,
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Lists the generated pages in the navigation."""
    sections: Any = {
        "Games": ["games/index.md", *(f"games/{name}.md" for name in games.names())],
        "Laboratory": laboratory.paths(),
        "API": [f"api/{room}.md" for room in imports.ROOMS],
    }
    entries = [entry.items() for entry in config.nav or []]
    config.nav = [{title: sections.get(title, pages)} for ((title, pages),) in entries]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Makes them, once a build."""
    for path, content in _generated().items():
        files.append(File.generated(config, path, content=content))
    return files


def _generated() -> dict[str, str]:
    """All that is generated, by its path in the site's sources."""
    made = {"games/index.md": game_pages.overview(), "images/imports.svg": imports.draw(facts.ROOT)}
    for name in games.names():
        made[f"games/{name}.md"] = game_pages.page(name)
        made[f"images/games/{name}.svg"] = game_pages.picture(name)
    made["images/nets.svg"] = plots.as_svg(nets.curves())
    made["images/judges.svg"] = plots.as_svg(judges.gamed())
    made |= laboratory.pages()
    made |= {f"api/{room}.md": text for room, text in api.pages().items()}
    return made | {f"images/benchmarks/{name}.svg": svg for name, svg in plots.pictures().items()}


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Fills the tables in."""
    makers = {
        "benchmarks.md": benchmarks.tables,
        "judges.md": judges.tables,
        "nets.md": nets.tables,
        "scale.md": scale.tables,
        "laboratory/index.md": laboratory.front,
    }
    if page.file.src_path == "laboratory/index.md":
        markdown = laboratory.linked(markdown)
    if make := makers.get(page.file.src_path):
        for name, table in make().items():
            markdown = markdown.replace(f"{{{{ {name} }}}}", table)
    return markdown
