"""`make bench`: the whole stream beside its own parse expression, on one preloaded topic, each three times in turn.

Records are counted after a warm-up, see `bench.stream`. CPU seconds are those of the measured process and its children,
not of the servers. A run of the stream counts only if `reconcile` finds every record once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.instance import preload, servers
from bench.stream import Sample, parse_only, reconcile, whole
from weahouse.settings import ROOT, from_environment

HOME = ROOT / ".weahouse" / "bench"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, prog="make bench")
    arguments.add_argument("--records", type=int, default=1_000_000, help="measured records of the preloaded topic")
    arguments.add_argument("--warm-up", type=int, default=250_000, help="records before them that are not measured")
    arguments.add_argument("--runs", type=int, default=3, help="runs of each, of which the median counts")
    asked = arguments.parse_args()
    changes = {"WEAHOUSE_HOME": str(HOME / "home"), "WEAHOUSE_PORT_OFFSET": "10000"}
    settings = from_environment(changes | {"WEAHOUSE_SERVING_RETENTION_DAYS": "0"})
    shutil.rmtree(settings.home, ignore_errors=True)
    with servers(settings):
        preload(settings, asked.warm_up + asked.records)
        samples: dict[str, list[Sample]] = {"stream.parse_only": [], "stream.whole": []}
        for _ in track(range(asked.runs), description="measuring"):
            samples["stream.parse_only"].append(parse_only(settings, asked.warm_up))
            samples["stream.whole"].append(whole(settings, asked.warm_up))
            reconcile(settings)
    results = [result(name, samples[name], samples["stream.parse_only"]) for name in samples]
    (HOME / "latest.json").write_text(json.dumps(results, indent=2) + "\n")
    show(results)
    return 0


def result(name: str, samples: list[Sample], baseline: list[Sample]) -> dict[str, Any]:
    """One entry of latest.json; the ratio is the median of the runs' ratios, pair by pair."""
    is_baseline = samples is baseline
    return {
        "name": name,
        "unit": "records/s",
        "median": round(statistics.median(sample.rate for sample in samples), 1),
        "runs": [round(sample.rate, 1) for sample in samples],
        "cpu_s_per_million": round(statistics.median(1e6 * sample.cpu_s / sample.records for sample in samples), 2),
        "baseline": None if is_baseline else "stream.parse_only",
        "ratio": None
        if is_baseline
        else round(statistics.median(one.rate / other.rate for one, other in zip(samples, baseline, strict=True)), 3),
    }


def show(results: list[dict[str, Any]]) -> None:
    table = Table(title=f"bench of {datetime.now(UTC):%Y-%m-%d}", box=None)
    for column in ("name", "median", "unit", "runs", "CPU s per million", "ratio to parse_only"):
        table.add_column(column, justify="left" if column in ("name", "unit") else "right")
    for each in results:
        runs = " ".join(f"{rate:,.0f}" for rate in each["runs"])
        ratio = "" if each["ratio"] is None else f"{each['ratio']:.3f}"
        table.add_row(each["name"], f"{each['median']:,.0f}", each["unit"], runs, str(each["cpu_s_per_million"]), ratio)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
