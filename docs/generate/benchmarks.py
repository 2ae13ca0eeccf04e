"""The tables of the benchmarks' page, from the files in `benchmarks/results`."""

from docs.generate import facts, speeds


def tables() -> dict[str, str]:
    """The tables in Markdown, by the name of the place that each fills."""
    return {"rules": rules(), "search": search(), "versions": versions()}


def rules() -> str:
    """Random play, game by game."""
    head = ["game", "bytes", "bare M/s", "observed M/s", "× pgx", "× OpenSpiel"]
    rows = [
        (
            f"`{name}`",
            speed.size,
            f"{speed.bare / 1e6:.1f}",
            f"{speed.observed / 1e6:.1f}",
            speeds.times(speed.pgx),
            speeds.times(speed.openspiel),
        )
        for name, speed in speeds.speeds().items()
    ]
    return facts.table(head, rows)


def search() -> str:
    """Simulations a second, a row for each game and recipe."""
    lines = facts.results("search_cpu")["lines"]
    own = {_setting(x): x["simulations_per_s"] for x in lines if x.get("who") == "arena"}
    ratio = {_setting(x): x["ratio_mctx"] for x in lines if "ratio_mctx" in x}
    columns = sorted({(line["simulations"], line["batch"]) for line in lines})

    def cell(*setting: object) -> str:
        return f"{own[setting] / 1e6:.2f} M, {ratio[setting]:.1f}×" if setting in ratio else ""

    kinds = dict.fromkeys((game, recipe) for game, recipe, *_ in ratio)
    rows = [
        [f"`{game}`, {recipe}", *(cell(game, recipe, *column) for column in columns)]
        for game, recipe in kinds
    ]
    head = ["", *(f"{simulations} simulations, batch {batch}" for simulations, batch in columns)]
    return facts.table(head, rows)


def _setting(line: dict) -> tuple[object, ...]:
    return line["game"], line["recipe"], line["simulations"], line["batch"]


def versions() -> str:
    """The commands that made each file, and what they ran with."""
    rows = []
    for path in sorted(facts.RESULTS.glob("*.json")):
        runs = facts.results(path.stem)
        runs = runs if isinstance(runs, list) else runs.get("runs", [runs])
        commands = [command for run in runs for command in _commands(run)]
        used = {k: v for run in runs for k, v in run.get("versions", {}).items()}
        told = ", ".join(f"{name} {version}" for name, version in used.items())
        shown = "<br>".join(f"`{command}`" for command in dict.fromkeys(commands))
        rows.append((f"`{path.name}`", shown, told))
    return facts.table(["file", "commands", "versions"], rows)


def _commands(run: dict) -> list[str]:
    return [run["command"]] if "command" in run else run.get("commands", [])
