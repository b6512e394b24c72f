"""Curation and recompute of one unit by the applications' own functions, warm, beside the same work in DuckDB.

Each pair of runs reads the same versions of the tables, and counts only if both give every row the same flags.
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import psutil

from bench.duck import work
from bench.instance import cpu_seconds, forget
from bench.results import of_rate
from bench.unit import HOUR, OBSERVED_FROM, fill
from weahouse.batch.curation import curate
from weahouse.batch.recompute import Plan, recompute
from weahouse.io.delta import ensure_table, open_table
from weahouse.io.hdfs import Hdfs
from weahouse.io.lake import open_table as files_of
from weahouse.qc.rules import DEFAULT_RULES, load_rules
from weahouse.schemas.datasets import (
    CURATED_OBSERVATIONS,
    CURATED_STATION_TRUST,
    CURATED_VERDICTS,
    RAW_OBSERVATIONS,
)
from weahouse.schemas.gold import GOLD_STATIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.context import Bench
    from bench.results import Sample
    from weahouse.qc.rules import Rules
    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

T = TypeVar("T")

# Three hours of 500 stations: long beside what a job costs whatever it reads, and within one day, as a day's verdicts
# use the trust of the day before, which DuckDB does not make.
READINGS = 100_000
# A recompute is made under other rules than the one before it, or there was nothing to write.
_TOLERANCES_PCT = (3.0, 4.0)


def measure(bench: Bench) -> None:
    """Fill one hour of Raw, and Curated from it; then curate it, and recompute it, as often as there are runs."""
    settings = bench.at(hdfs_root="/offline")
    forget(settings)
    bench.step("offline: filling Raw and Curated")
    rows = fill(bench.spark, settings, min(READINGS, bench.sizes.records))
    scratch = settings.home / "offline"
    for name, once in (("curation", _curation), ("recompute", _recompute)):
        if bench.wants(name):
            # The first run compiles what the others use.
            for run in range(-1, bench.sizes.runs):
                bench.step(f"{name}, {'warming up' if run < 0 else f'run {run + 1}'}")
                shutil.rmtree(scratch, ignore_errors=True)
                scratch.mkdir(parents=True)
                ours, theirs = once(bench, settings, scratch, rows)
                if run >= 0:
                    bench.add(name, ours)
                    bench.add(f"{name}.duckdb", theirs)
    forget(settings)


def _curation(bench: Bench, settings: Settings, scratch: Path, rows: int) -> tuple[Sample, Sample]:
    rules = load_rules()
    for dataset in (CURATED_VERDICTS, CURATED_STATION_TRUST):
        # As they were before the unit was curated: another time it would find its verdicts there.
        ensure_table(bench.spark, settings, dataset)
        open_table(bench.spark, settings, dataset).delete()
    files = _files(settings, scratch)
    ours, (unit, _) = _timed(bench, rows, lambda: curate(bench.spark, settings, HOUR))
    out = scratch / "verdicts.parquet"
    theirs, violations = _timed(bench, rows, lambda: work.curate(files, rules, settings.lateness, out))
    if violations or unit["parity_violations"] or not unit["parity_compared"] == unit["readings"] > 0:
        raise RuntimeError(f"parity is not what it must be: {violations} violations in DuckDB, and {unit}")
    _check_verdicts(settings, scratch, out)
    return ours, theirs


def _recompute(bench: Bench, settings: Settings, scratch: Path, rows: int) -> tuple[Sample, Sample]:
    run_id = datetime.now(UTC).isoformat()
    rules_file, rules = _other_rules(settings)
    plan = Plan.of(
        {
            "run_id": run_id,
            "start": OBSERVED_FROM.isoformat(),
            "end": (OBSERVED_FROM + timedelta(days=1)).isoformat(),
            "zones": ["curated"],
            "stations": [],
            "units": [HOUR],
            "rules_file": str(rules_file),
            "rules_version": rules.version,
            "reason": "the bench",
        }
    )
    files = _files(settings, scratch)
    ours, told = _timed(bench, rows, lambda: recompute(bench.spark, settings, plan))
    curated, out = scratch / "curated.parquet", scratch / "verdicts.parquet"
    theirs, _ = _timed(bench, rows, lambda: work.recompute(files, rules, settings.lateness, curated, out))
    if not told["updated"]:
        raise RuntimeError(f"the recompute changed nothing, so its speed means nothing: {told}")
    now = _local(settings, scratch / "after", CURATED_OBSERVATIONS)
    _check("curated.observations", *work.compared(now, curated, (*work.SAID, "revision")))
    _check_verdicts(settings, scratch, out)
    return ours, theirs


def _other_rules(settings: Settings) -> tuple[Path, Rules]:
    """A file of rules that the table's rows were not judged by."""
    held = files_of(settings, CURATED_OBSERVATIONS)
    assert held is not None
    tolerance_pct = _TOLERANCES_PCT[held.version() % len(_TOLERANCES_PCT)]
    path = settings.home / f"rules-{tolerance_pct}.yaml"
    text = DEFAULT_RULES.read_text()
    path.write_text(text.replace("humidity_tolerance_pct: 5.0", f"humidity_tolerance_pct: {tolerance_pct}"))
    return path, load_rules(path)


def _timed(bench: Bench, rows: int, act: Callable[[], T]) -> tuple[Sample, T]:
    """What a run gave, and how long and how much CPU it took, in this process, Spark's and its Python workers'."""
    process = psutil.Process(bench.spark.sparkContext._gateway.proc.pid)
    began, cpu_s = time.monotonic(), cpu_seconds(process) + time.process_time()
    found = act()
    seconds, used_s = time.monotonic() - began, cpu_seconds(process) + time.process_time() - cpu_s
    return of_rate(rows, seconds, used_s), found


def _files(settings: Settings, scratch: Path) -> work.Files:
    """Copies of the newest versions of what a job reads."""
    tables = (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, GOLD_STATIONS)
    return work.Files(*[_local(settings, scratch / table.name, table) for table in tables])


def _local(settings: Settings, folder: Path, dataset: Dataset) -> list[str]:
    """The very files of a table's newest version, copied from HDFS."""
    table, hdfs = files_of(settings, dataset), Hdfs(settings)
    assert table is not None
    folder.mkdir(parents=True)
    copies = []
    for number, uri in enumerate(table.file_uris()):
        copies.append(folder / f"{number}.parquet")
        copies[-1].write_bytes(hdfs.read_bytes(urlsplit(uri).path) or b"")
    return [str(copy) for copy in copies]


def _check_verdicts(settings: Settings, scratch: Path, theirs: Path) -> None:
    ours = _local(settings, scratch / "verdicts", CURATED_VERDICTS)
    _check("curated.verdicts", *work.compared(ours, theirs, work.VERDICT))


def _check(table: str, keys: int, differing: int) -> None:
    if differing or not keys:
        raise RuntimeError(f"DuckDB and Spark differ in {differing} of {keys} rows of {table}: no rate counts")
