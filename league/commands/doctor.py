"""Say why a run learns nothing."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated

import tyro

from league.cli import console, device, names
from league.report import diagnosis, evidence
from league.report.diagnosis import LOOK, Finding


@dataclass(frozen=True)
class Command:
    """Say why a run learns nothing: figures, what is normal, and what to try.

    Attributes:
      run: name of the run.
      json: print one JSON object.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    json: bool = False


def run(command: Command) -> None:
    """Prints the findings."""
    device.prepare()
    work = names.run(command.run)
    with work.results() as results:
        found = diagnosis.diagnose(evidence.gather(work, results))
    work.close()
    healthy = not any(finding.verdict == LOOK for finding in found)
    if command.json:
        findings = [dataclasses.asdict(finding) for finding in found]
        console.emit({"run": work.name, "healthy": healthy, "findings": findings})
        return
    for finding in found:
        print("\n".join(_lines(finding)))
    faults = sum(finding.verdict == LOOK for finding in found)
    print(f"{work.name}: " + ("healthy" if healthy else f"{faults} of {len(found)} to look at"))


def _lines(finding: Finding) -> list[str]:
    lines = [f"{finding.name}: {finding.verdict}", f"  {finding.figure}"]
    lines.append(f"  normal: {finding.normal}")
    return [*lines, f"  try: {finding.advice}"] if finding.advice else lines
