"""Recompute and undo on real servers: other rules tried, applied by a run that breaks off, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.apart import Apart, apart
from tests.integration.batches import Batches
from tests.qc.readings import rules_with
from tests.rows import event

from weahouse.batch import recompute as recomputing
from weahouse.batch.backfills import DONE, FAILED, UNDONE, UndoError, read_backfill
from weahouse.batch.recompute import Plan, chunks_of, recompute
from weahouse.batch.undo import undo
from weahouse.batch.what_if import preview, preview_undo
from weahouse.io.delta import ensure_table, read_table
from weahouse.io.lake import open_table as open_small
from weahouse.io.variable_rows import panes_in, select_panes
from weahouse.qc.masks import GOOD, SUSPECT
from weahouse.qc.rules import DEFAULT_RULES, load_rules
from weahouse.schemas.datasets import (
    CURATED_OBSERVATIONS,
    CURATED_STATION_TRUST,
    CURATED_VERDICTS,
    RAW_OBSERVATIONS,
)
from weahouse.schemas.gold import (
    GOLD_DAILY_SUMMARIES,
    GOLD_HOURLY_SUMMARIES,
    GOLD_STATION_FEATURES,
    GOLD_STATIONS,
)
from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION
from weahouse.streaming.reconciliation import read_served
from weahouse.transforms.dispositions import differences

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

WRITTEN = (
    CURATED_OBSERVATIONS,
    CURATED_VERDICTS,
    CURATED_STATION_TRUST,
    GOLD_HOURLY_SUMMARIES,
    GOLD_DAILY_SUMMARIES,
    GOLD_STATION_FEATURES,
)
APPENDED_AT = datetime(2024, 5, 1, 16, 5, tzinfo=UTC)
# Above 30 degrees a value is suspect.
HOT = """\
  regions:
    us-ca:
      range:
        air_temperature_c: {suspect: [-51.1, 30.0]}
"""
TEMPERATURE = "air_temperature_c"


def at(time: str, temperature_c: float, station: str = "a") -> bytes:
    return event(station_id=station, observed_at=f"2024-05-01T{time}:00Z", air_temperature_c=temperature_c)


# A correction and a repeat among them: nine records of seven readings, of which four are hot.
VALUES = (
    at("12:00", 29.0),
    at("12:10", 31.0),
    at("12:00", 15.0, "b"),
    at("12:00", 15.0, "b"),
    at("13:00", 30.5),
    at("13:00", 31.5),
    at("13:00", 15.5, "b"),
    at("14:00", 32.0),
    at("15:00", 31.0),
)


class Archived:
    """A lake of one hour of append time that the stream has archived and merged, and the rules of a hot place."""

    def __init__(self, spark: SparkSession, stream: Apart, folder: Path) -> None:
        self.spark, self.stream, self.settings = spark, stream, stream.settings
        for table in (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, GOLD_STATIONS):
            ensure_table(spark, self.settings, table)
        self.batches = Batches(spark, stream)
        self.batches.archive(*VALUES, appended_at=APPENDED_AT)
        self.rules = rules_with(folder, HOT)
        self.rules_file = str(folder / "rules.yaml")
        self.before = self.rows()

    def plan(self, run_id: str = "a", **told: Any) -> Plan:
        default = {
            "start": "2024-05-01T12:00:00Z",
            "end": "2024-05-01T16:00:00Z",
            "zones": ["curated", "gold"],
            "stations": [],
            "units": ["2024-05-01T15..2024-05-01T16"],
            "rules_file": self.rules_file,
            "rules_version": self.rules.version,
            "reason": "a test",
        }
        return Plan.of({"run_id": run_id, **default, **told})

    def versions(self) -> list[int | None]:
        tables = [open_small(self.settings, table) for table in WRITTEN]
        return [table and table.version() for table in tables]

    def rows(self) -> dict[tuple[str, str], dict[str, Any]]:
        found = self.stream.lake("SELECT * FROM curated.observations")
        return {(row["station_id"], row["observed_at"][11:16]): row for row in found}

    def flags(self) -> dict[str, int]:
        """Of station `a` by time, as Cassandra serves them."""
        cql = f"SELECT observed_at, {TEMPERATURE}_flag FROM observations_by_station WHERE station_id = 'a' AND day = ?"
        found = self.stream.served(cql, APPENDED_AT.date())
        return {f"{row['observed_at']:%H:%M}": row[f"{TEMPERATURE}_flag"] for row in found}

    def suspects(self) -> list[dict[str, int]]:
        """Of station `a` how many suspect values the panes have by their start, and the hours of Gold by theirs."""
        served = self.stream.served(select_panes((TEMPERATURE,)), "a", APPENDED_AT.date())
        panes = (pane for row in served for pane in panes_in(row, (TEMPERATURE,)))
        sql = f"SELECT window_start, {TEMPERATURE}_suspect_count AS n FROM gold.hourly_summaries WHERE station_id = 'a'"
        hours = {row["window_start"][11:16]: row["n"] for row in self.stream.lake(sql)}
        return [{f"{row['window_start']:%H:%M}": row["suspect_count"] for row in panes}, hours]

    def differing(self) -> list[Any]:
        """Readings of which Cassandra holds something else than Curated."""
        curated = read_table(self.spark, self.settings, CURATED_OBSERVATIONS)
        columns = [column for column in OBSERVATIONS_BY_STATION.columns if column != "day"]
        return differences(curated, read_served(self.spark, self.settings, curated), columns).collect()


@pytest.fixture(scope="module")
def archived(spark: SparkSession, platform: Settings, tmp_path_factory: pytest.TempPathFactory) -> Archived:
    return Archived(spark, apart(platform, "recompute"), tmp_path_factory.mktemp("rules"))


def test_the_flags_that_other_rules_would_change_are_told_before_anything_is(archived: Archived):
    before = archived.versions()
    told = preview(archived.spark, archived.settings, archived.plan())
    change = {"station_id": "a", "variable": TEMPERATURE, "flag_now": GOOD, "flag_then": SUSPECT, "readings": 4}
    assert told == {"inserted": 0, "updated": 7, "unchanged": 0, "changed_flags": 4, "changes": [change]}
    assert archived.versions()[0] == before[0]
    present = archived.plan(rules_file=None, rules_version=load_rules(DEFAULT_RULES).version)
    told = preview(archived.spark, archived.settings, present)
    assert (told["updated"], told["unchanged"], told["changes"]) == (0, 7, [])


@pytest.fixture(scope="module")
def recomputed(archived: Archived) -> Archived:
    """The other rules at work: a run that dies after it has written its second hour, before it says so, and goes on."""
    upsert, calls = recomputing.upsert, []

    def dies(*arguments: Any) -> Any:
        calls.append(upsert(*arguments))
        if len(calls) == 2:
            raise ConnectionError("killed")
        return calls[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recomputing, "CHUNK_RECORDS", 1)
        patch.setattr(recomputing, "upsert", dies)
        with pytest.raises(ConnectionError):
            recompute(archived.spark, archived.settings, archived.plan())
        held = read_backfill(archived.settings, "a")
        assert (held["backfill_state"], held["updated"], len(chunks_of(held))) == (FAILED, 3, 2)
        recompute(archived.spark, archived.settings, archived.plan())
    return archived


def test_a_run_that_broke_off_goes_on_and_each_row_is_judged_again_once(recomputed: Archived):
    held = read_backfill(recomputed.settings, "a")
    assert (held["backfill_state"], held["replayed"], len(chunks_of(held))) == (DONE, len(VALUES), 4)
    assert (held["planned"], held["expected_at"]) == (len(VALUES), None)
    assert (held["appended_from"], held["appended_to"]) == (APPENDED_AT, APPENDED_AT + timedelta(seconds=1))
    rows = recomputed.rows()
    assert {key for key, row in rows.items() if row[f"{TEMPERATURE}_flag"] == SUSPECT} == {
        ("a", time) for time in ("12:10", "13:00", "14:00", "15:00")
    }
    assert {row["rules_version"] for row in rows.values()} == {recomputed.rules.version}
    for key, row in rows.items():
        assert row["revision"] == recomputed.before[key]["revision"] + 1
        assert row["kafka_offset"] == recomputed.before[key]["kafka_offset"]


def test_cassandra_its_panes_and_gold_say_what_curated_says(recomputed: Archived):
    assert recomputed.flags() == {"12:00": GOOD, **dict.fromkeys(("12:10", "13:00", "14:00", "15:00"), SUSPECT)}
    hours = {"12:00": 1, "13:00": 1, "14:00": 1, "15:00": 1}
    assert recomputed.suspects() == [hours | {"12:00": 0, "12:10": 1}, hours]
    assert recomputed.differing() == []


def test_the_same_again_changes_no_table(recomputed: Archived):
    before = recomputed.versions()
    # Another run of the same range, for the first one is done and would read nothing.
    told = recompute(recomputed.spark, recomputed.settings, recomputed.plan("b"))
    assert (told["inserted"], told["updated"], told["unchanged"]) == (0, 0, 7)
    assert recomputed.versions() == before
    assert recompute(recomputed.spark, recomputed.settings, recomputed.plan()) == read_backfill(
        recomputed.settings, "a"
    )


def test_an_undo_restores_what_nobody_has_written_since(recomputed: Archived):
    spark, settings = recomputed.spark, recomputed.settings
    # The stream goes on: a correction of a row that the run has judged, and a reading that is new.
    written = recomputed.batches.archive(
        at("14:00", 32.5), at("15:10", 31.2), appended_at=APPENDED_AT + timedelta(hours=1)
    )
    assert (written["inserted"], written["updated"]) == (1, 1)
    of_stream = {key: row for key, row in recomputed.rows().items() if key[1] in ("14:00", "15:10")}
    told = preview_undo(spark, settings, read_backfill(settings, "a"))
    counts = {name: told[name] for name in ("updated", "unchanged", "kept", "changed_flags")}
    assert counts == {"updated": 6, "unchanged": 0, "kept": 2, "changed_flags": 3}

    assert undo(spark, settings, "a")["restored"] == 6
    assert read_backfill(settings, "a")["backfill_state"] == UNDONE
    rows = recomputed.rows()
    assert {key: rows[key] for key in of_stream} == of_stream
    restored = {key: row | {"revision": None} for key, row in rows.items() if key not in of_stream}
    assert restored == {key: recomputed.before[key] | {"revision": None} for key in restored}
    assert set(recomputed.flags().values()) == {GOOD}
    assert [set(found.values()) for found in recomputed.suspects()] == [{0}, {0}]
    assert recomputed.differing() == []
    with pytest.raises(UndoError, match="is undone already"):
        undo(spark, settings, "a")
