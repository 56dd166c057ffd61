"""`python -m benchmarks [NAME ...]`: measure, print one table, keep everything in a file.

NAME is one of load, decode, apply, latency, publish, service, templates; none: all of them. A missed target is a
result, and the exit status is 0; an error is an error, and it is 1.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import apply, decode, latency, load, publish, report, service, templates
from benchmarks.measure import FAILURES, Outcome
from benchmarks.publish_stage import open_publish_stage
from benchmarks.report import Figure, Report
from benchmarks.stage import Stage, open_stage, say

Measurement = Callable[[Stage], tuple[Sequence[Figure], Outcome]]

MEASUREMENTS: Final[dict[str, Measurement]] = {
    "load": load.measure,
    "decode": decode.measure,
    "apply": apply.measure,
    "latency": latency.measure,
}


# It needs neither servers nor workloads.
SERVICE: Final = "service"
# It needs a broker, and a source whose log has other things.
PUBLISH: Final = "publish"
# It needs a source of many columns, and the service.
TEMPLATES: Final = "templates"
NAMES: Final = (*MEASUREMENTS, PUBLISH, SERVICE, TEMPLATES)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; none: all")
    parser.add_argument("--scale", type=float, default=1.0, help="of the workloads; 1 is 2,000,000 rows a table")
    parser.add_argument("--runs", type=int, default=3, help="of each contender; the median counts")
    parser.add_argument("--fresh", action="store_true", help="fill the source anew")
    parser.add_argument("--results", type=Path, default=report.RESULTS, help="file for everything found, as JSON")
    given = parser.parse_args()
    names = given.names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are closed
    found = Report()
    facts = report.machine()
    if SERVICE in names:
        _measured(found, SERVICE, lambda: service.measure(given.runs))
    if TEMPLATES in names:
        _measured(found, TEMPLATES, lambda: templates.measure(given.runs))
    if PUBLISH in names:
        _measured(found, PUBLISH, lambda: _publish(given, facts))
    if staged := [name for name in names if name in MEASUREMENTS]:
        with open_stage(scale=given.scale, runs=given.runs, fresh=given.fresh) as stage:
            for name in staged:
                _measured(found, name, lambda name=name: MEASUREMENTS[name](stage))
            facts |= report.facts(stage)
    facts |= report.machine()
    found.show(facts)
    found.save(facts, given.results)
    return 1 if found.outcome.errors else 0


def _publish(given: argparse.Namespace, facts: dict[str, Any]) -> tuple[Sequence[Figure], Outcome]:
    with open_publish_stage(scale=given.scale, runs=given.runs, fresh=given.fresh) as stage:
        facts |= report.publish_facts(stage)
        return publish.measure(stage)


def _measured(found: Report, name: str, measure: Callable[[], tuple[Sequence[Figure], Outcome]]) -> None:
    say("")
    try:
        found.add(*measure())
    except FAILURES as error:
        found.outcome.errors[name] = f"{type(error).__name__}: {error}"
        say(f"  FAILED: {error}")


if __name__ == "__main__":
    sys.exit(main())
