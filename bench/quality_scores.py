"""`make qc-scores`: how well quality control finds a simulated network's faults, and whether SURFRAD's flags agree.

No server is needed. Writes docs/reference/quality_scores.md; exit code 1 when a requirement is not met.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from bench.quality_context import ContextLoad, ContextScores, score_context
from bench.quality_page import Agreement, Load, page, share_text
from bench.quality_truth import Scores, Verdict, score, simulated, verdicts_of
from weahouse.cli.judging import local_spark, records_table, with_registry
from weahouse.qc.level1 import judge
from weahouse.qc.rules import load_rules
from weahouse.settings import ROOT, Settings
from weahouse.sources import surfrad
from weahouse.sources.lines import numbered_lines
from weahouse.sources.live import Schedule
from weahouse.sources.network import network
from weahouse.sources.records import Record
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weahouse.qc.rules import Rules
    from weahouse.sources.stations import Station

PAGE = ROOT / "docs" / "reference" / "quality_scores.md"
SURFRAD_DAY = ROOT / "tests" / "data" / "surfrad-alamosa-2016-01-01.dat.gz"
LEAST_PRECISION = LEAST_RECALL = 0.95
LEAST_CONTEXT_RECALL = 0.9


def main() -> int:
    load, context_load, rules = Load(), ContextLoad(), load_rules()
    with local_spark() as (spark, folder):
        scores = score_network(spark, folder / "network", load, rules)
        context = score_context(spark, folder / "context", context_load)
        agreements = agree(spark, folder / "surfrad", SURFRAD_DAY, rules)
    PAGE.write_text(page(load, rules, scores, context_load, context, agreements))
    unmet = [*failures(scores), *context_failures(context)]
    print("\n".join([f"wrote {PAGE.relative_to(ROOT)}", *unmet]))
    return int(bool(unmet))


def score_network(spark: SparkSession, folder: Path, load: Load, rules: Rules) -> Scores:
    """Send a network's records through parsing and level 1, and compare with the truth."""
    sites = network(load.seed, load.stations)
    schedule = Schedule(sites, Fraction(load.stations, load.interval_s))
    starts = [int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) for day in load.starts]
    sent = [one for start in starts for one in simulated(schedule, start, load.days * 86_400, load.share)]
    table = records_table(spark, folder, ((one.leaves_at, one.value) for one in sent))
    verdicts = _verdicts(table, len(sent), sites.stations(), rules)
    return score(sent, verdicts, rules, dict(zip(sites.ids, sites.latitude.tolist(), strict=True)))


def _verdicts(records: DataFrame, count: int, stations: Iterable[Station], rules: Rules) -> list[Verdict]:
    parsed = parse(records).persist()
    judged = judge(with_registry(observations(parsed, Settings().lateness), stations), rules)
    masks = judged.select(
        F.col("kafka_offset").alias("offset"),
        "tests_applied",
        "tests_failed",
        F.col("late_by_s").isNotNull().cast("int").alias("is_late"),
    )
    found = verdicts_of(count, parsed.where("reason IS NOT NULL").select("offset", "reason").toArrow(), masks.toArrow())
    parsed.unpersist()
    return found


def agree(spark: SparkSession, folder: Path, path: Path, rules: Rules) -> list[Agreement]:
    """Compare the network's flags of a SURFRAD file (0 is good) with ours, value by value."""
    sent = [record for record in surfrad.read(path) if isinstance(record, Record)]
    table = records_table(spark, folder, ((record.at + 60.0, record.value) for record in sent))
    judged = judge(with_registry(observations(parse(table), Settings().lateness), [surfrad.station_of(path)]), rules)
    names = list(surfrad.VARIABLES)
    rows = judged.orderBy("kafka_offset").select(*[f"{name}_flag" for name in names]).collect()
    counts: dict[str, Counter[tuple[bool, bool]]] = {name: Counter() for name in names}
    for theirs, ours in zip(_network_flags(path), rows, strict=True):
        for name, flag in zip(names, theirs, strict=True):
            counts[name][flag == 0, ours[f"{name}_flag"] == 1] += 1
    return [
        Agreement(name, c[True, True], c[False, False], c[False, True], c[True, False]) for name, c in counts.items()
    ]


def _network_flags(path: Path) -> Iterator[list[int]]:
    for number, line in numbered_lines(path):
        if number > 2 and line.strip():
            yield [int(text) for text in line.split()[1 - 2 * len(surfrad.VARIABLES) :: 2]]


def failures(scores: Scores) -> list[str]:
    """A line for each requirement that is not met."""
    told = []
    if (scores.total().precision or 0.0) < LEAST_PRECISION:
        told.append(f"precision is {share_text(scores.total().precision)}, not {LEAST_PRECISION}")
    if scores.disagreements:
        told.append(f"{scores.disagreements} observations were judged otherwise in plain Python")
    for kind, found in scores.kinds.items():
        if found.recall is not None and found.recall < LEAST_RECALL:
            told.append(f"recall of {kind} is {share_text(found.recall)}, not {LEAST_RECALL}")
    return told


def context_failures(scores: ContextScores) -> list[str]:
    """A line for each requirement of levels 2 and 3 that is not met."""
    told = []
    if (scores.total().precision or 0.0) < LEAST_PRECISION:
        told.append(f"precision of levels 2 and 3 is {share_text(scores.total().precision)}, not {LEAST_PRECISION}")
    for kind, found in scores.faults.items():
        if (found.recall or 0.0) < LEAST_CONTEXT_RECALL:
            told.append(f"recall of {kind} by levels 2 and 3 is {share_text(found.recall)}, not {LEAST_CONTEXT_RECALL}")
    return told


if __name__ == "__main__":
    sys.exit(main())
