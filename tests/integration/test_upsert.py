"""Batches through `upsert` without a driver: panes kept between them, who may write Curated, what is done again."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F
from tests.integration.apart import Apart, apart
from tests.integration.batches import Batches
from tests.rows import event

from weahouse.io.delta import ensure_table, open_table
from weahouse.io.variable_rows import latest_in, panes_in
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, PANE_MINUTES
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.streaming import upsert as upserting
from weahouse.streaming.fencing import FencedError
from weahouse.transforms.changes import RESTORED
from weahouse.transforms.panes import STATISTICS, summarise

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

DAY = "2024-05-01"
NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
OPEN = {NOON, NOON + timedelta(minutes=10)}


class AlreadyHeld:
    """The lease of a driver that took it and stood still: a newer one has put it aside meanwhile."""

    held = staticmethod(nullcontext)


@pytest.fixture
def stream(spark: SparkSession, platform: Settings, request: pytest.FixtureRequest) -> Apart:
    found = apart(platform, f"upsert_{abs(hash(request.node.name)) % 10**8}")
    for table in (CURATED_OBSERVATIONS, GOLD_STATIONS):
        ensure_table(spark, found.settings, table)
    return found


def at(time: str, station: str = "a", **members: Any) -> bytes:
    return event(station_id=station, observed_at=f"{DAY}T{time}Z", **members)


def check_panes(spark: SparkSession, stream: Apart) -> int:
    """Assert that what Cassandra serves is what Curated says; returns how many panes were compared."""
    curated = open_table(spark, stream.settings, CURATED_OBSERVATIONS).toDF()
    made = summarise(curated, PANE_MINUTES).where("value_count > 0").collect()
    expected = {(row["station_id"], row["variable"], f"{row['window_start']:%H:%M}"): row for row in made}
    served = (pane for row in stream.served("SELECT * FROM summaries_by_station") for pane in panes_in(row))
    found = {(row["station_id"], row["variable"], f"{row['window_start']:%H:%M}"): row for row in served}
    assert set(found) == set(expected)
    for key, row in expected.items():
        assert {name: found[key][name] for name in STATISTICS} == {
            name: pytest.approx(row[name], rel=1e-9, abs=1e-9) if row[name] is not None else None for name in STATISTICS
        }
    return len(expected)


def operations(spark: SparkSession, stream: Apart) -> list[str]:
    history = open_table(spark, stream.settings, CURATED_OBSERVATIONS).history().orderBy("version").collect()
    return [row["operation"] for row in history][1:]


def test_kept_panes_are_what_curated_says_after_each_batch(spark: SparkSession, stream: Apart):
    batches = Batches(spark, stream)
    batches.send(at("12:00:00", air_temperature_c=1.0), at("12:01:00", "b", wind_speed_mps=2.0))
    assert batches.run.open_windows.starts == {NOON}
    assert check_panes(spark, stream) == 2
    batches.send(at("12:05:00", air_temperature_c=4.0), at("12:11:00", "c", dew_point_c=2.0))
    assert batches.run.open_windows.starts == OPEN
    assert check_panes(spark, stream) == 3
    # Nothing but repeats: nothing is written, and nothing that is kept is lost.
    batches.send(at("12:05:00", air_temperature_c=4.0))
    batches.send(at("12:06:00", air_temperature_c=-3.0), at("09:00:00", air_temperature_c=9.0))
    assert check_panes(spark, stream) == 4
    assert operations(spark, stream) == ["MERGE", "WRITE", "WRITE"]


def test_readings_that_are_ahead_of_all_that_is_held_do_not_ask_the_table(
    spark: SparkSession, stream: Apart, monkeypatch: pytest.MonkeyPatch
):
    batches, asked = Batches(spark, stream), []
    batches.send(at("12:00:00", air_temperature_c=1.0), at("12:04:00", "b", air_temperature_c=1.0))

    def read_table(*arguments: Any) -> Any:
        asked.append(arguments)
        return read(*arguments)

    read = upserting.read_table
    monkeypatch.setattr(upserting, "read_table", read_table)
    # Later than their own stations' newest, and one of a station that has nothing in this window.
    counts = batches.send(at("12:02:00", air_temperature_c=2.0), at("12:01:00", "c", air_temperature_c=3.0))
    assert (counts["inserted"], len(asked)) == (2, 0)
    for behind in (at("12:02:00", air_temperature_c=2.0), at("12:01:00", air_temperature_c=9.0), at("13:00:00")):
        batches.send(at("12:03:00", f"d{len(asked)}", air_temperature_c=1.0), behind)
    assert len(asked) == 3
    assert check_panes(spark, stream) > 0


def test_a_correction_makes_its_pane_anew(spark: SparkSession, stream: Apart):
    batches = Batches(spark, stream)
    batches.send(at("12:00:00", air_temperature_c=1.0), at("12:01:00", air_temperature_c=7.0))
    counts = batches.send(at("12:01:00", air_temperature_c=3.0), at("12:02:00", dew_point_c=1.0))
    assert (counts["inserted"], counts["updated"]) == (1, 1)
    assert check_panes(spark, stream) == 2
    batches.send(at("12:00:00", dew_point_c=0.0), at("12:01:00", dew_point_c=0.5))
    assert check_panes(spark, stream) == 1


def test_what_somebody_else_wrote_is_in_the_next_panes(spark: SparkSession, stream: Apart):
    batches = Batches(spark, stream)
    batches.send(at("12:00:00", air_temperature_c=1.0), at("12:01:00", air_temperature_c=2.0))
    batches.send(at("12:02:00", air_temperature_c=3.0))
    open_table(spark, stream.settings, CURATED_OBSERVATIONS).update(
        "air_temperature_c = 2.0", {"air_temperature_c": F.lit(20.0)}
    )
    batches.send(at("12:03:00", air_temperature_c=4.0))
    assert check_panes(spark, stream) == 1
    assert operations(spark, stream) == ["MERGE", "WRITE", "UPDATE", "MERGE"]


def test_a_driver_that_was_taken_over_from_writes_nothing_into_curated(spark: SparkSession, stream: Apart):
    old = Batches(spark, stream, AlreadyHeld())
    old.send(at("12:00:00", air_temperature_c=1.0))
    new = Batches(spark, stream)
    # A driver that has written nothing yet has fenced nobody: its first write is a MERGE, whatever came before.
    new.send(at("12:00:00", air_temperature_c=1.0))
    new.send(at("12:01:00", air_temperature_c=2.0))
    with pytest.raises(FencedError, match="took no write"):
        old.send(at("12:02:00", air_temperature_c=3.0))
    assert operations(spark, stream) == ["MERGE", "MERGE"]
    # What the older one took is merged by the newer, whose panes hold it then.
    new.send(at("12:02:00", air_temperature_c=3.0))
    assert check_panes(spark, stream) == 1


def test_what_was_never_served_is_served_though_a_repeat_of_it_is_the_newer_record(spark: SparkSession, stream: Apart):
    reading, tables = at("12:00:00", air_temperature_c=1.0), ("observations_by_station", "latest_by_region")
    Batches(spark, stream).send(reading)
    served = {table: stream.served(f"SELECT * FROM {table}") for table in tables}
    for table in (*tables, "summaries_by_station"):
        stream.served(f"TRUNCATE {table}")
    # A driver died between Curated and Cassandra; the next one's batch ends later, and has a repeat too.
    counts = Batches(spark, stream).send(reading, reading, changes=RESTORED)
    assert (counts["inserted"], counts["updated"], counts["rows_served"]) == (0, 0, 1)
    assert {table: stream.served(f"SELECT * FROM {table}") for table in tables} == served
    assert check_panes(spark, stream) == 1
    assert operations(spark, stream) == ["MERGE"]


def test_a_batch_that_is_done_again_still_tells_of_its_contradictions(spark: SparkSession, stream: Apart):
    Batches(spark, stream).send(at("12:00:00", air_temperature_c=1.0))
    correction, then = (b"", at("12:00:00", air_temperature_c=2.0)), datetime.now(UTC) + timedelta(hours=1)
    told = [Batches(spark, stream).send(*correction, appended_at=then) for _ in range(2)]
    assert [(counts["updated"], counts["contested"]) for counts in told] == [(1, 1), (0, 1)]


def test_a_value_that_only_a_dead_driver_served_goes_when_the_next_one_has_its_withdrawal_too(
    spark: SparkSession, stream: Apart
):
    tables = ("observations_by_station", "latest_by_region", "summaries_by_station")
    whole, without = (
        at("12:00:00", air_temperature_c=1.0, dew_point_c=0.5),
        at("12:00:00", air_temperature_c=2.0),
    )
    Batches(spark, stream).send(whole)
    # It died after Cassandra and before Curated; the next one's batch ends later.
    open_table(spark, stream.settings, CURATED_OBSERVATIONS).delete()
    counts = Batches(spark, stream).send(whole, without)
    assert (counts["inserted"], counts["contested"]) == (1, 1)
    observations, latest, panes = (stream.served(f"SELECT * FROM {table}") for table in tables)
    assert [(row["air_temperature_c"], row["dew_point_c"]) for row in observations] == [(2.0, None)]
    told = [(value["variable"], value["measured_value"]) for row in latest for value in latest_in(row)]
    assert told == [("air_temperature_c", 2.0)]
    assert [pane["variable"] for row in panes for pane in panes_in(row)] == ["air_temperature_c"]
    assert check_panes(spark, stream) == 1
