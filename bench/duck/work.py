"""Curation and recompute of Parquet files in DuckDB, and whether two results say the same of each key."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from bench.duck import neighbours, readings, series
from bench.duck.text import columns
from weahouse.schemas.fields import FLAGS, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta
    from pathlib import Path

    from weahouse.qc.rules import Rules

_JUDGED = (*FLAGS, "tests_applied", "tests_failed")
# What a row of Curated says, without its coordinates and what follows from them.
SAID = ("region", "late_by_s", *VARIABLES, *_JUDGED)
VERDICT = (*_JUDGED, "tests_excused", "quality_level")


@dataclass(frozen=True)
class Files:
    """Parquet files of one version of each table, on this machine's disk."""

    raw: Sequence[str]
    curated: Sequence[str]
    stations: Sequence[str]


def curate(files: Files, rules: Rules, lateness: timedelta, out: Path) -> int:
    """Write the verdicts of all rows of Curated to `out`; returns how many readings of Raw Curated tells otherwise."""
    with _opened(files) as db:
        db.execute(f"CREATE TEMP TABLE judged AS {readings.judged(rules, lateness)}")
        (violations,) = _row(
            db,
            f"""SELECT count(*) FROM judged LEFT JOIN curated USING (station_id, at_s)
            WHERE curated.station_id IS NULL OR {_differ("judged", "curated", SAID)}""",
        )
        db.execute("CREATE TEMP VIEW readings AS SELECT * FROM curated")
        _write_verdicts(db, rules, out)
    return violations


def recompute(files: Files, rules: Rules, lateness: timedelta, curated: Path, verdicts: Path) -> None:
    """Write Curated as the readings of Raw make it under the rules, and the verdicts of all of its rows."""
    is_held, is_made = "held.station_id IS NOT NULL", "judged.station_id IS NOT NULL"
    said = columns({name: f"CASE WHEN {is_made} THEN judged.{name} ELSE held.{name} END" for name in SAID})
    with _opened(files) as db:
        db.execute(f"CREATE TEMP TABLE judged AS {readings.judged(rules, lateness)}")
        # Under other rules every reading that is held and made anew has its next revision.
        db.execute(
            f"""CREATE TEMP TABLE readings AS
            SELECT station_id, at_s, {said},
                coalesce(held.revision, 0) + CASE WHEN {is_held} AND {is_made} THEN 1 ELSE 0 END AS revision
            FROM curated AS held FULL JOIN judged USING (station_id, at_s)"""
        )
        db.execute(f"COPY readings TO '{curated}' (FORMAT parquet)")
        _write_verdicts(db, rules, verdicts)


def compared(ours: Sequence[str], theirs: Path, told: Sequence[str]) -> tuple[int, int]:
    """How many keys either side has, and of how many a column differs; theirs are told by `at_s`."""
    with _connected() as db:
        db.execute(f"CREATE TEMP VIEW ours AS {_keyed(ours)}")
        db.execute(f"CREATE TEMP VIEW theirs AS SELECT * FROM read_parquet('{theirs}')")
        keys, differing = _row(
            db,
            f"""SELECT count(*), count(*) FILTER (ours.station_id IS NULL OR theirs.station_id IS NULL
                OR {_differ("ours", "theirs", told)})
            FROM ours FULL JOIN theirs USING (station_id, at_s)""",
        )
    return keys, differing


def _write_verdicts(db: duckdb.DuckDBPyConnection, rules: Rules, out: Path) -> None:
    for name, sql in (
        ("series", series.judged_by_series(rules)),
        ("near", neighbours.near(rules)),
        ("panes", neighbours.panes()),
        ("buddies", neighbours.buddies(rules)),
        ("shared", neighbours.shared(rules)),
    ):
        db.execute(f"CREATE TEMP TABLE {name} AS {sql}")
    db.execute(f"COPY ({neighbours.verdicts(rules)}) TO '{out}' (FORMAT parquet)")


@contextmanager
def _opened(files: Files) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables by their names; Curated's with `at_s`, the second of observation."""
    with _connected() as db:
        db.execute(f"CREATE TEMP VIEW raw AS SELECT * FROM {_parquet(files.raw)}")
        db.execute(f"CREATE TEMP VIEW curated AS {_keyed(files.curated)}")
        db.execute(f"CREATE TEMP VIEW stations AS SELECT * FROM {_parquet(files.stations)}")
        yield db


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": os.cpu_count() or 1}) as db:
        db.execute("SET TimeZone = 'UTC'")
        yield db


def _keyed(files: Sequence[str]) -> str:
    return f"SELECT * EXCLUDE (observed_at), epoch_us(observed_at) // 1000000 AS at_s FROM {_parquet(files)}"


def _parquet(files: Sequence[str]) -> str:
    return f"read_parquet({list(files)}, hive_partitioning = false)"


def _differ(left: str, right: str, columns: Sequence[str]) -> str:
    return "(" + " OR ".join(f"{left}.{name} IS DISTINCT FROM {right}.{name}" for name in columns) + ")"


def _row(db: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    found: tuple[int, ...] | None = db.execute(sql).fetchone()
    assert found is not None
    return found
