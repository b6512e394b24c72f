"""Records through the real servers: what is accepted, what is quarantined, which of several versions wins."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.integration.conftest import Stream, eventually
from tests.rows import event
from tests.transforms.test_parse import READABLE, UNREADABLE

from weahouse.io.hdfs import Hdfs
from weahouse.io.stations import upsert_stations
from weahouse.io.variable_rows import SELECT_LATEST, latest_in, panes_in, select_panes
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_QUARANTINE, RAW_OBSERVATIONS
from weahouse.schemas.kinds import Dataset
from weahouse.schemas.render import path

DAY = date(2024, 5, 1)
OBSERVATION = (
    "SELECT observed_at, air_temperature_c, air_temperature_c_flag, dew_point_c FROM observations_by_station"
    " WHERE station_id = ? AND day = ?"
)
LATEST = f"{SELECT_LATEST} WHERE region = ? AND station_id = ?"


def reading(station: str, minute: int = 0, **members: object) -> tuple[str, bytes]:
    return station, event(station_id=station, observed_at=f"2024-05-01T12:{minute:02d}:00Z", **members)


def curated(stream: Stream, station: str, columns: str = "air_temperature_c") -> list[dict[str, object]]:
    return stream.lake(
        f"SELECT {columns} FROM curated.observations WHERE station_id = '{station}' ORDER BY observed_at"
    )


def panes(stream: Stream, station: str) -> dict[str, tuple[int, float]]:
    served = (pane for row in stream.served(select_panes(), station, DAY) for pane in panes_in(row))
    return {pane["variable"]: (pane["value_count"], pane["value_sum"]) for pane in served}


def latest(stream: Stream, station: str, region: str = "us-ca") -> dict[str, float]:
    served = (told for row in stream.served(LATEST, region, station) for told in latest_in(row))
    return {told["variable"]: told["measured_value"] for told in served}


def first(station: str, **members: object) -> tuple[str, bytes]:
    return reading(station, air_temperature_c=1.0, **members)


def second(station: str, **members: object) -> tuple[str, bytes]:
    return reading(station, air_temperature_c=2.0, **members)


NOW = datetime.now(UTC).replace(microsecond=0)
# Also at the end of a long run.
AHEAD = (NOW + timedelta(days=1)).isoformat()
# What each test sends, by the wave in which it is sent: a wave begins when the one before is in every table.
WAVES: list[list[tuple[str | None, bytes | None]]] = [
    [
        *[("quarantined", value) for value, _ in UNREADABLE],
        *[(None, value.replace(b'"a"', b'"any-key"')) for value in READABLE],
        (None, event(station_id="null-key")),
        ("another", event(station_id="other-key")),
        ("ahead", event(station_id="ahead", observed_at=AHEAD)),
        first("repeated"),
        first("corrected", dew_point_c=0.5),
        reading("corrected", 5, air_temperature_c=2.0),
        first("withdrawn", dew_point_c=0.5),
        reading("reflagged", air_temperature_c=10.0, dew_point_c=11.0),
        first("returned"),
        *[first("returned-at-once"), second("returned-at-once"), first("returned-at-once")],
        ("late", event(station_id="late", observed_at=NOW.isoformat(), air_temperature_c=20.0)),
        reading("sentinel", air_temperature_c=-9999.0, dew_point_c=3.0),
        first("moved"),
        reading("in-the-north", air_temperature_c=45.0),
        reading("somewhere", air_temperature_c=45.0),
    ],
    [
        *[first("repeated")] * 3,
        reading("corrected", 5, air_temperature_c=4.0),
        reading("withdrawn", dew_point_c=0.5),
        reading("reflagged", air_temperature_c=10.0, dew_point_c=9.0),
        second("returned"),
        reading("late", air_temperature_c=5.0),
        reading("moved", 5, air_temperature_c=2.0, region="us-or"),
    ],
    [first("returned")],
]


@pytest.fixture(scope="module")
def stream(running: Stream) -> Stream:
    """The stream after all waves."""
    running.start()
    north = {"station_id": "in-the-north", "region": "us-ak", "registry": "isd", "latitude_deg": 62.0}
    upsert_stations(running.settings, [north])
    for wave in WAVES:
        running.send(*wave)
        running.settle()
    return running


def test_each_unreadable_record_is_quarantined_verbatim_with_its_reason(stream: Stream):
    rows = stream.lake(
        "SELECT q.reason, r.value = q.value OR (r.value IS NULL AND q.value IS NULL) AS verbatim"
        ' FROM curated.quarantine q JOIN raw.observations r USING (partition, "offset")'
        " WHERE r.key = 'quarantined' ORDER BY q.\"offset\""
    )
    # Noon of 2024 and eleven minutes is not ahead of today's broker.
    expected = [reason for value, reason in UNREADABLE if b"12:11:01Z" not in (value or b"")]
    assert [row["reason"] for row in rows] == expected
    assert all(row["verbatim"] for row in rows)


def test_what_the_contract_allows_is_curated_whatever_its_key(stream: Stream):
    found = stream.lake("SELECT DISTINCT station_id FROM curated.observations")
    wanted = {"null-key", "other-key", "any-key", "x" * 64, "17", "724940:23234"}
    assert wanted <= {row["station_id"] for row in found}


def test_a_reading_far_ahead_is_quarantined_and_does_not_move_the_watermark(stream: Stream):
    [row] = stream.lake("SELECT reason FROM curated.quarantine WHERE key = 'ahead'")
    assert row["reason"] == "observed_at is more than 10 minutes ahead of the broker's time"
    assert datetime.fromisoformat(stream.progress("observations")["watermark"]) <= datetime.now(UTC)


@pytest.mark.parametrize("table", [RAW_OBSERVATIONS, CURATED_OBSERVATIONS, CURATED_QUARANTINE], ids=lambda t: t.name)
def test_of_each_file_the_log_keeps_the_limits_by_which_it_may_be_skipped(stream: Stream, table: Dataset):
    hdfs, log = Hdfs(stream.settings), f"{path(table, stream.settings.hdfs_root)}/_delta_log"
    commits = [hdfs.read_text(f"{log}/{name}") or "" for name in hdfs.list(log) if name.endswith(".json")]
    actions = [json.loads(line) for commit in commits for line in commit.splitlines()]
    kept = [json.loads(action["add"]["stats"]) for action in actions if "add" in action]
    assert kept
    assert all({*stats["nullCount"]} == {*table.skip_by} >= {*stats["minValues"]} for stats in kept)
    assert all({*table.primary_key} <= stats["minValues"].keys() & stats["maxValues"].keys() for stats in kept)


def test_an_exact_repeat_changes_nothing(stream: Stream):
    [row] = curated(stream, "repeated", "kafka_offset")
    [sent] = stream.lake("SELECT min(\"offset\") AS first, count(*) AS n FROM raw.observations WHERE key = 'repeated'")
    assert sent == {"first": row["kafka_offset"], "n": 4}
    assert panes(stream, "repeated")["air_temperature_c"] == (1, 1.0)


def test_a_correction_wins_everywhere(stream: Stream):
    assert [row["air_temperature_c"] for row in curated(stream, "corrected")] == [1.0, 4.0]
    assert [row["air_temperature_c"] for row in stream.served(OBSERVATION, "corrected", DAY)] == [4.0, 1.0]
    assert panes(stream, "corrected")["air_temperature_c"] == (2, 5.0)
    assert latest(stream, "corrected") == {"air_temperature_c": 4.0, "dew_point_c": 0.5}


def test_a_withdrawn_value_disappears_from_every_view(stream: Stream):
    [served] = stream.served(OBSERVATION, "withdrawn", DAY)
    assert (served["air_temperature_c"], served["air_temperature_c_flag"]) == (None, 9)
    assert set(panes(stream, "withdrawn")) == {"dew_point_c"}
    assert latest(stream, "withdrawn") == {"dew_point_c": 0.5}


def test_a_withdrawn_flag_disappears_too(stream: Stream):
    [served] = stream.served(OBSERVATION, "reflagged", DAY)
    assert served["air_temperature_c_flag"] == 1
    [row] = curated(stream, "reflagged", "air_temperature_c_flag, tests_failed")
    assert row == {"air_temperature_c_flag": 1, "tests_failed": 0}


@pytest.mark.parametrize("station", ["returned", "returned-at-once"])
def test_a_reading_that_returns_to_its_first_value_ends_with_it(stream: Stream, station: str):
    # The batch is merged again after it was committed, which the lag does not wait for.
    eventually(lambda: curated(stream, station) == [{"air_temperature_c": 1.0}], "the first value again")
    eventually(lambda: latest(stream, station) == {"air_temperature_c": 1.0}, "the first value served")
    assert stream.served(OBSERVATION, station, DAY)[0]["air_temperature_c"] == 1.0


def test_late_rows_are_merged_marked_and_never_move_the_latest_backwards(stream: Stream):
    found = curated(stream, "late", "air_temperature_c, late_by_s IS NOT NULL AS is_late")
    assert found == [{"air_temperature_c": 5.0, "is_late": True}, {"air_temperature_c": 20.0, "is_late": False}]
    assert latest(stream, "late") == {"air_temperature_c": 20.0}


def test_a_number_that_stands_for_missing_reaches_no_average_and_no_latest_value(stream: Stream):
    assert set(panes(stream, "sentinel")) == {"dew_point_c"}
    assert latest(stream, "sentinel") == {"dew_point_c": 3.0}


def test_an_unknown_station_is_registered_without_coordinates(stream: Stream):
    [row] = stream.lake("SELECT region, latitude_deg, registry FROM gold.stations WHERE station_id = 'moved'")
    assert row == {"region": "us-ca", "latitude_deg": None, "registry": "observed"}


def test_a_station_is_judged_by_the_limits_of_its_latitude(stream: Stream):
    # 45 degrees are suspect beyond 45 degrees of latitude, and good where the latitude is unknown.
    assert curated(stream, "in-the-north", "air_temperature_c_flag") == [{"air_temperature_c_flag": 3}]
    assert curated(stream, "somewhere", "air_temperature_c_flag") == [{"air_temperature_c_flag": 1}]


def test_the_registrys_region_wins_over_the_events(stream: Stream):
    assert [row["region"] for row in curated(stream, "moved", "region")] == ["us-ca", "us-ca"]
