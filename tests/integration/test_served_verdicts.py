"""Verdicts of levels 2 and 3 on real servers: served, repaired, outdated, proved, and alerts judged by them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.apart import Apart, apart
from tests.integration.batches import Batches
from tests.integration.conftest import eventually
from tests.rows import event

from weahouse.alerts.rules import load_alert_rules
from weahouse.batch import serving
from weahouse.batch.curation import curate
from weahouse.cli.backtest import run, where
from weahouse.cli.explaining.serving import tables
from weahouse.io.alerts import alerts_of, partitions_of
from weahouse.io.cassandra import create_schema
from weahouse.io.delta import ensure_table, read_table
from weahouse.io.lake import open_table as open_small
from weahouse.orchestration import driver
from weahouse.qc.masks import BAD, GOOD
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_VERDICTS, RAW_OBSERVATIONS
from weahouse.schemas.fields import flag_of
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION
from weahouse.serving.history import history, summaries
from weahouse.serving.latest import latest
from weahouse.streaming.judged import compare_verdicts
from weahouse.streaming.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

WIND, TEMPERATURE = "wind_speed_mps", "air_temperature_c"
FLAG = flag_of(WIND)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
APPENDED_AT = datetime(2024, 5, 1, 13, 5, tzinfo=UTC)
HOUR, NEXT_HOUR = "2024-05-01T13", "2024-05-01T14"
# A wind of 30 m/s within two minutes of 3 m/s is no wind; for station `b` it is the newest that is known.
EVERY_MIN, REPORTS, SPIKE_MIN, SPIKE_MPS = 2, 20, 24, 30.0
LAST_MIN = EVERY_MIN * (REPORTS - 1)


def report(station: str, minute: int, wind_mps: float | None = None) -> bytes:
    calm = 3.0 + minute % 10 / 4
    at = NOON + timedelta(minutes=minute)
    values = {WIND: calm if wind_mps is None else wind_mps, TEMPERATURE: 20.0 + minute % 10 / 10}
    return event(station_id=station, observed_at=at.isoformat(), **values)


def reports(station: str, spike_min: int) -> Iterable[bytes]:
    for minute in range(0, LAST_MIN + 1, EVERY_MIN):
        yield report(station, minute, SPIKE_MPS if minute == spike_min else None)


# Each single value counts.
SQUALL = """
defaults: {quiet_min: 180, gap_min: 150}
rules:
  squall:
    {meaning: A squall, severity: minor, kind: threshold, variables: [wind_speed_mps], at_least: 25, clear_below: 15}
"""


class Served:
    """What readers see of an hour that was archived and merged as the stream does it."""

    def __init__(self, spark: SparkSession, stream: Apart) -> None:
        self.spark, self.stream, self.settings = spark, stream, stream.settings
        for table in (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, GOLD_STATIONS):
            ensure_table(spark, self.settings, table)
        self.batches = Batches(spark, stream)
        spikes = [*reports("a", SPIKE_MIN), *reports("b", LAST_MIN)]
        self.batches.archive(*spikes, appended_at=APPENDED_AT)

    def flags(self, station: str) -> dict[int, int]:
        """The flag of the wind by minute."""
        rows = history(self.settings, station, NOON, NOON + timedelta(hours=1), now=APPENDED_AT)
        return {row["observed_at"].minute: row[FLAG] for row in rows}

    def panes(self, station: str) -> dict[int, tuple[int, float]]:
        """Count and greatest wind of each pane, by the minute in which it begins."""
        span = (NOON, NOON + timedelta(hours=1))
        rows = summaries(self.settings, station, *span, variables=(WIND,), now=APPENDED_AT)
        return {row["window_start"].minute: (row["value_count"], row["value_max"]) for row in rows}

    def latest_flag(self, station: str) -> int:
        told = {row["station_id"]: row["variables"] for row in latest(self.settings, "us-ca")}
        return int(told[station][WIND]["flag"])

    def squalls(self, folder: Path) -> list[str]:
        """The stations of which a backtest says that they had one."""
        file = folder / "rules.yaml"
        file.write_text(SQUALL)
        tried = run(self.settings, load_alert_rules(file), where(NOON, NOON + timedelta(hours=1), None))
        return [alert["station_id"] for alert in tried]

    def write_times(self) -> list[Any]:
        return [
            self.stream.served(f"SELECT WRITETIME({column}) AS at FROM {table}")
            for table, column in (
                ("observations_by_station", "verdict"),
                ("summaries_by_station", "judged_panes"),
                ("latest_by_region", "judged_values"),
            )
        ]

    def differing(self) -> Counter[str]:
        """What the proof finds, by name."""
        curated = read_table(self.spark, self.settings, CURATED_OBSERVATIONS)
        compared, differing = compare_verdicts(self.spark, self.settings, curated, curated)
        assert compared == curated.count()
        return Counter(row["difference"] for rows in differing for row in rows.collect())

    def notes(self) -> list[tuple[str, int, int]]:
        """Station and minutes of what the stream is told to judge anew; each note is taken."""
        notes = Notes(self.stream.hdfs, self.settings.hdfs_root)
        found = [changed for name in notes.waiting() for changed in notes.read(name)]
        for name in notes.waiting():
            notes.keep_only(name, [])
        return sorted((each.station_id, each.first_at.minute, each.last_at.minute) for each in found)


@pytest.fixture(scope="module")
def served(spark: SparkSession, platform: Settings) -> Served:
    return Served(spark, apart(platform, "served_verdicts"))


@pytest.fixture(scope="module")
def curated(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """The hour curated by a run that died between Delta and Cassandra, and once more."""
    assert served.squalls(tmp_path_factory.mktemp("squalls")) == ["a", "b"]

    def dies(*_: Any) -> None:
        raise ConnectionError("killed")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "planned_write", dies)
        with pytest.raises(ConnectionError):
            curate(served.spark, served.settings, HOUR)
    assert set(served.flags("a").values()) == {GOOD}
    assert served.notes() == []
    version = open_small(served.settings, CURATED_VERDICTS).version()
    curate(served.spark, served.settings, HOUR)
    assert open_small(served.settings, CURATED_VERDICTS).version() == version
    return served


def test_what_a_run_that_died_has_judged_is_served_by_the_next(curated: Served):
    assert [minute for minute, flag in curated.flags("a").items() if flag == BAD] == [SPIKE_MIN]
    assert [minute for minute, flag in curated.flags("b").items() if flag == BAD] == [LAST_MIN]
    assert len(curated.flags("a")) == REPORTS


def test_panes_are_without_what_is_bad_and_a_latest_value_shows_its_flag(curated: Served):
    assert curated.panes("a") == {0: (5, 5.0), 10: (5, 5.0), 20: (4, 5.0), 30: (5, 5.0)}
    assert curated.panes("b")[30][0] == 4
    assert (curated.latest_flag("a"), curated.latest_flag("b")) == (GOOD, BAD)


def test_the_stream_is_told_where_to_judge_alerts_anew(curated: Served):
    assert curated.notes() == [("a", SPIKE_MIN, SPIKE_MIN), ("b", LAST_MIN, LAST_MIN)]


def test_rules_that_are_tried_on_history_go_by_verdicts(curated: Served, tmp_path: Path):
    assert curated.squalls(tmp_path) == []


def test_an_explanation_tells_of_the_verdict(curated: Served):
    at = NOON + timedelta(minutes=SPIKE_MIN)
    [row] = read_table(curated.spark, curated.settings, CURATED_OBSERVATIONS).where(
        f"station_id = 'a' AND minute(observed_at) = {SPIKE_MIN}"
    ).toArrow().to_pylist()  # fmt: skip
    told = {entry["table"]: entry["what"] for entry in tables(curated.settings, "a", at, "us-ca", row)}
    assert told["observations_by_station"] == f"as Curated has it, and by levels 2 and 3 {WIND} bad"


def test_the_same_again_writes_nothing(curated: Served):
    curated.notes()
    before = curated.write_times()
    assert [sum(row["at"] is not None for row in rows) for rows in before] == [2, 2, 1]
    curate(curated.spark, curated.settings, HOUR)
    assert curated.write_times() == before
    assert curated.notes() == []
    assert curated.differing() == Counter()


def test_a_newer_record_is_not_flagged_for_an_earlier_one(curated: Served):
    correction = report("a", SPIKE_MIN, 4.0)
    curated.batches.archive(correction, appended_at=APPENDED_AT + timedelta(hours=1))
    assert set(curated.flags("a").values()) == {GOOD}
    assert curated.panes("a")[20] == (5, 5.0)
    curate(curated.spark, curated.settings, NEXT_HOUR)
    assert set(curated.flags("a").values()) == {GOOD}
    assert curated.panes("a")[20] == (5, 5.0)


def test_a_verdict_that_is_taken_back_is_served_no_more(curated: Served):
    # What the next report says of the spike's station makes it a wind after all: it was no step from there.
    assert curated.flags("b")[LAST_MIN] == BAD
    earlier = [report("b", minute, SPIKE_MPS) for minute in range(0, LAST_MIN, EVERY_MIN)]
    curated.batches.archive(*earlier, appended_at=APPENDED_AT + timedelta(hours=1, minutes=1))
    curate(curated.spark, curated.settings, NEXT_HOUR)
    assert curated.flags("b")[LAST_MIN] != BAD
    assert curated.latest_flag("b") != BAD
    assert curated.differing() == Counter()


def test_planted_violations_are_seen_by_name(spark: SparkSession, platform: Settings):
    # Of its own: what is planted here is newer than any verdict.
    planted = Served(spark, apart(platform, "planted_verdicts"))
    curate(spark, planted.settings, HOUR)
    at, window = (NOON + timedelta(minutes=minute) for minute in (SPIKE_MIN, 20))
    row = "WHERE station_id = ? AND day = '2024-05-01' AND observed_at = ?"
    update = planted.stream.served
    [verdict] = update(f"SELECT verdict FROM observations_by_station {row}", "a", at)
    update(f"UPDATE observations_by_station SET verdict = NULL {row}", "a", at)
    last = NOON + timedelta(minutes=LAST_MIN)
    [changed] = update(f"SELECT verdict FROM observations_by_station {row}", "b", last)
    milder = changed["verdict"]._replace(**{FLAG: 3})
    update(f"UPDATE observations_by_station SET verdict = ? {row}", milder, "b", last)
    calm = NOON + timedelta(minutes=2)
    version = "SELECT WRITETIME(ingested_at) AS version FROM observations_by_station"
    [stands] = update(f"{version} {row}", "a", calm)
    foreign = verdict["verdict"]._replace(judged_version=stands["version"])
    update(f"UPDATE observations_by_station SET verdict = ? {row}", foreign, "a", calm)
    of_window = "WHERE station_id = ? AND day = '2024-05-01' AND window_start = ?"
    [panes] = update(f"SELECT judged_panes FROM summaries_by_station {of_window}", "a", window)
    pane = panes["judged_panes"].wind_speed_mps_pane
    off_by_one = panes["judged_panes"]._replace(wind_speed_mps_pane=pane._replace(value_count=pane.value_count + 1))
    update(f"UPDATE summaries_by_station SET judged_panes = ? {of_window}", off_by_one, "a", window)
    update("UPDATE latest_by_region SET judged_values = NULL WHERE region = 'us-ca' AND station_id = 'b'")
    assert planted.differing() == Counter(
        verdict_absent=1, verdict_changed=1, verdict_foreign=1, judged_pane_changed=1, judged_value_absent=1
    )


def test_a_keyspace_of_an_earlier_release_gets_the_columns(platform: Settings):
    stream = apart(platform, "earlier_release")
    columns = "station_id text, day date, observed_at timestamp, air_temperature_c double"
    stream.served("DROP TABLE observations_by_station")
    stream.served(f"CREATE TABLE observations_by_station ({columns}, PRIMARY KEY ((station_id, day), observed_at))")
    key = "('a', '2024-05-01', '2024-05-01 12:00:00+0000', 1.5)"
    stream.served(f"INSERT INTO observations_by_station (station_id, day, observed_at, air_temperature_c) VALUES {key}")
    create_schema(stream.settings)
    [row] = stream.served("SELECT * FROM observations_by_station")
    assert set(row) == set(OBSERVATIONS_BY_STATION.all_columns)
    assert (row["air_temperature_c"], row["verdict"]) == (1.5, None)


@pytest.fixture(scope="module")
def live(platform: Settings) -> Iterator[Apart]:
    """A stream with a driver of its own: other tests damage what the shared one has written."""
    stream = apart(platform, "verdict_alerts")
    stream.start()
    yield stream
    driver.stop(stream.settings)


def gale(stream: Apart) -> dict[str, Any]:
    rows = alerts_of(stream.settings, partitions_of(stream.settings))
    return next((row for row in rows if row["rule"] == "gale"), {})


def test_an_alert_on_a_value_that_is_found_bad_is_withdrawn(spark: SparkSession, live: Apart):
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=40)

    def reading(minute: int, wind_mps: float) -> tuple[str, bytes]:
        return "a", event(observed_at=(began + timedelta(minutes=minute)).isoformat(), wind_speed_mps=wind_mps)

    hours = {f"{datetime.now(UTC):%Y-%m-%dT%H}"}
    live.send(*[reading(minute, wind_mps) for minute, wind_mps in ((0, 3.0), (8, 4.0), (20, SPIKE_MPS), (36, 3.5))])
    hours |= {f"{datetime.now(UTC):%Y-%m-%dT%H}"}
    live.settle()
    found = eventually(lambda: gale(live), "a gale", 120)
    assert (found["alert_state"], found["peak_value"]) == ("cleared", SPIKE_MPS)
    for hour in sorted(hours):
        curate(spark, live.settings, hour)
    eventually(lambda: gale(live)["alert_state"] == "withdrawn", "the withdrawal of the gale", 120)
    notes = Notes(live.hdfs, live.settings.hdfs_root)
    eventually(lambda: notes.waiting() == [], "the end of the note", 60)
