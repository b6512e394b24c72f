"""`make bench`: the speed of the platform, everything side by side in one run, on servers of its own.

Medians of three. CPU seconds are those of the measured processes and not of the servers. A section of
docs/benchmarks.md, and what it is rendered from, is written when it was measured whole at full sizes: with all others,
or by itself (`python -m bench --only curation recompute`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench import dag, live, offline, report, sections, sink, stream
from bench.context import Bench, Sizes
from bench.instance import servers
from bench.results import Result, is_whole, results
from bench.sections import MEASURES, Section
from weahouse.settings import ROOT, Settings, from_environment

HOME = ROOT / ".weahouse" / "bench"


class Step(NamedTuple):
    """What is measured together, and by what."""

    section: Section
    measure: Callable[[Bench], None]


# The loads of the stream come last: they leave the most behind in the servers' memory.
STEPS = (
    Step(sections.SINK, sink.measure),
    Step(sections.LIVE, live.measure),
    Step(sections.OFFLINE, offline.measure),
    Step(sections.DAG, dag.measure),
    Step(sections.STREAM, stream.measure),
)


def main() -> int:
    asked, full = arguments().parse_args(), Sizes()
    sizes = Sizes(asked.records, asked.warm_up, asked.runs, asked.seconds)
    settings = from_environment(
        {
            "WEAHOUSE_HOME": str(HOME / "home"),
            "WEAHOUSE_PORT_OFFSET": "10000",
            "WEAHOUSE_SERVING_RETENTION_DAYS": "0",
            # A short bench must not take everything in with the batch that warms it up.
            "WEAHOUSE_MAX_OFFSETS_PER_TRIGGER": str(min(Settings().max_offsets_per_trigger, asked.warm_up)),
        }
    )
    shutil.rmtree(settings.home, ignore_errors=True)
    bench = Bench(settings, sizes, tuple(asked.only))
    with servers(settings):
        for step in STEPS:
            if bench.wants(*step.section.names):
                began = time.monotonic()
                step.measure(bench)
                if sizes == full and is_whole(step.section, bench.samples, sizes.runs):
                    found = results(bench.samples, bench.extra)
                    report.publish(step.section, found, sizes, minutes=(time.monotonic() - began) / 60)
    found = results(bench.samples, bench.extra)
    (HOME / "latest.json").write_text(json.dumps(found, indent=2) + "\n")
    show(found)
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="make bench")
    full = Sizes()
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="measure only names that begin so")
    parser.add_argument("--records", type=int, default=full.records, help="measured records of the stream's even load")
    parser.add_argument("--warm-up", type=int, default=full.warm_up, help="records before them that are not measured")
    parser.add_argument("--runs", type=int, default=full.runs, help="runs of each, of which the median counts")
    parser.add_argument("--seconds", type=float, default=full.window_s, help="of load for each run of a latency")
    return parser


def show(found: list[Result]) -> None:
    table = Table(box=None)
    for column in ("name", "median", "unit", "runs", "CPU s per million", "ratio", "target", "met"):
        table.add_column(column, justify="left" if column in ("name", "unit", "target", "met") else "right")
    measures = {measure.name: measure for measure in MEASURES}
    for each in found:
        table.add_row(*report.cells(measures[each["name"]], each))
    Console(width=200).print(table)


if __name__ == "__main__":
    sys.exit(main())
