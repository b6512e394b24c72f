"""Records through the real servers: what is accepted, what is quarantined, which of several versions wins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from tests.integration.conftest import Stream, eventually
from tests.rows import event
from tests.transforms.test_parse import READABLE, UNREADABLE

DAY = date(2024, 5, 1)
OBSERVATION = (
    "SELECT observed_at, air_temperature_c, air_temperature_c_flag, dew_point_c FROM observations_by_station"
    " WHERE station_id = ? AND day = ?"
)
LATEST = "SELECT variable, observed_at, measured_value, flag FROM latest_by_region WHERE region = ? AND station_id = ?"
PANES = "SELECT variable, value_count, value_sum FROM summaries_by_station WHERE station_id = ? AND day = ?"


def reading(station: str, minute: int = 0, **members: object) -> tuple[str, bytes]:
    return station, event(station_id=station, observed_at=f"2024-05-01T12:{minute:02d}:00Z", **members)


def curated(stream: Stream, station: str, columns: str = "air_temperature_c") -> list[dict[str, object]]:
    return stream.lake(
        f"SELECT {columns} FROM curated.observations WHERE station_id = '{station}' ORDER BY observed_at"
    )


def panes(stream: Stream, station: str) -> dict[str, tuple[int, float]]:
    return {row["variable"]: (row["value_count"], row["value_sum"]) for row in stream.served(PANES, station, DAY)}


def latest(stream: Stream, station: str, region: str = "us-ca") -> dict[str, float]:
    return {row["variable"]: row["measured_value"] for row in stream.served(LATEST, region, station)}


def test_each_unreadable_record_is_quarantined_with_its_reason_and_coordinates(stream: Stream):
    # One partition, so that the offsets tell the order.
    values = [value for value, reason in UNREADABLE]
    before = stream.lake("SELECT count(*) AS n FROM curated.quarantine")[0]["n"]
    stream.send(*[("quarantined", value) for value in values])
    stream.settle()
    rows = stream.lake(
        "SELECT q.reason, r.value = q.value OR (r.value IS NULL AND q.value IS NULL) AS verbatim"
        ' FROM curated.quarantine q JOIN raw.observations r USING (partition, "offset")'
        " WHERE r.key = 'quarantined' ORDER BY q.\"offset\""
    )
    # An empty time far ahead is judged against the broker's clock, which is today's.
    expected = [reason for value, reason in UNREADABLE if b"12:11:01Z" not in (value or b"")]
    assert [row["reason"] for row in rows] == expected
    assert all(row["verbatim"] for row in rows)
    assert stream.lake("SELECT count(*) AS n FROM curated.quarantine")[0]["n"] - before == len(expected)


def test_what_the_contract_allows_is_curated_whatever_its_key(stream: Stream):
    readable = [value.replace(b'"a"', b'"any-key"') for value in READABLE]
    stream.send((None, event(station_id="null-key")), ("another", event(station_id="other-key")), *readable)
    stream.settle()
    found = stream.lake("SELECT DISTINCT station_id FROM curated.observations")
    wanted = {"null-key", "other-key", "any-key", "x" * 64, "17", "724940:23234"}
    assert wanted <= {row["station_id"] for row in found}


def test_a_reading_eleven_minutes_ahead_is_quarantined_and_does_not_move_the_watermark(stream: Stream):
    ahead = datetime.now(UTC) + timedelta(minutes=11)
    stream.send(("ahead", event(station_id="ahead", observed_at=ahead.isoformat(timespec="seconds"))))
    stream.settle()
    [row] = stream.lake("SELECT reason FROM curated.quarantine WHERE key = 'ahead'")
    assert row["reason"] == "observed_at is more than 10 minutes ahead of the broker's time"
    watermark = stream.progress("observations")["watermark"]
    assert datetime.fromisoformat(watermark) <= datetime.now(UTC)


def test_an_exact_repeat_changes_nothing(stream: Stream):
    stream.send(reading("repeated", air_temperature_c=1.0))
    stream.settle()
    before = curated(stream, "repeated", "kafka_offset, air_temperature_c")
    stream.send(*[reading("repeated", air_temperature_c=1.0)] * 3)
    stream.settle()
    assert curated(stream, "repeated", "kafka_offset, air_temperature_c") == before
    assert panes(stream, "repeated")["air_temperature_c"] == (1, 1.0)


def test_a_correction_wins_everywhere(stream: Stream):
    stream.send(
        reading("corrected", air_temperature_c=1.0, dew_point_c=0.5), reading("corrected", 5, air_temperature_c=2.0)
    )
    stream.settle()
    stream.send(reading("corrected", 5, air_temperature_c=4.0))
    stream.settle()
    assert [row["air_temperature_c"] for row in curated(stream, "corrected")] == [1.0, 4.0]
    served = stream.served(OBSERVATION, "corrected", DAY)
    assert [row["air_temperature_c"] for row in served] == [4.0, 1.0]
    assert panes(stream, "corrected")["air_temperature_c"] == (2, 5.0)
    assert latest(stream, "corrected") == {"air_temperature_c": 4.0, "dew_point_c": 0.5}


def test_a_withdrawn_value_disappears_from_every_view(stream: Stream):
    stream.send(reading("withdrawn", air_temperature_c=1.0, dew_point_c=0.5))
    stream.settle()
    stream.send(reading("withdrawn", dew_point_c=0.5))
    stream.settle()
    [served] = stream.served(OBSERVATION, "withdrawn", DAY)
    assert (served["air_temperature_c"], served["air_temperature_c_flag"]) == (None, 9)
    assert set(panes(stream, "withdrawn")) == {"dew_point_c"}
    assert latest(stream, "withdrawn") == {"dew_point_c": 0.5}


def test_a_withdrawn_flag_disappears_too(stream: Stream):
    stream.send(reading("reflagged", air_temperature_c=10.0, dew_point_c=11.0))
    stream.settle()
    stream.send(reading("reflagged", air_temperature_c=10.0, dew_point_c=9.0))
    stream.settle()
    [served] = stream.served(OBSERVATION, "reflagged", DAY)
    assert served["air_temperature_c_flag"] == 1
    assert curated(stream, "reflagged", "air_temperature_c_flag, tests_failed") == [
        {"air_temperature_c_flag": 1, "tests_failed": 0}
    ]


def test_a_reading_that_returns_to_its_first_value_ends_with_it(stream: Stream):
    first, second = reading("returned", air_temperature_c=1.0), reading("returned", air_temperature_c=2.0)
    stream.send(first)
    stream.settle()
    stream.send(second)
    stream.settle()
    stream.send(first)
    stream.settle()
    eventually(lambda: curated(stream, "returned") == [{"air_temperature_c": 1.0}], "the first value again")
    assert stream.served(OBSERVATION, "returned", DAY)[0]["air_temperature_c"] == 1.0


def test_a_return_within_one_batch_ends_with_the_first_value(stream: Stream):
    first, second = (
        reading("returned-at-once", air_temperature_c=1.0),
        reading("returned-at-once", air_temperature_c=2.0),
    )
    stream.send(first, second, first)
    stream.settle()
    eventually(lambda: curated(stream, "returned-at-once") == [{"air_temperature_c": 1.0}], "the first value again")


def test_late_rows_are_merged_marked_and_never_move_the_latest_backwards(stream: Stream):
    now = datetime.now(UTC).replace(microsecond=0)
    live = event(station_id="late", observed_at=now.isoformat(), air_temperature_c=20.0)
    stream.send(("late", live))
    stream.settle()
    stream.send(reading("late", air_temperature_c=5.0))
    stream.settle()
    found = curated(stream, "late", "air_temperature_c, late_by_s IS NOT NULL AS is_late")
    assert found == [{"air_temperature_c": 5.0, "is_late": True}, {"air_temperature_c": 20.0, "is_late": False}]
    assert latest(stream, "late") == {"air_temperature_c": 20.0}


def test_a_number_that_stands_for_missing_reaches_no_average_and_no_latest_value(stream: Stream):
    stream.send(reading("sentinel", air_temperature_c=-9999.0, dew_point_c=3.0))
    stream.settle()
    assert set(panes(stream, "sentinel")) == {"dew_point_c"}
    assert latest(stream, "sentinel") == {"dew_point_c": 3.0}


def test_an_unknown_station_is_registered_without_coordinates(stream: Stream):
    stream.send(reading("never-heard-of", air_temperature_c=1.0))
    stream.settle()
    [row] = stream.lake("SELECT region, latitude_deg, registry FROM gold.stations WHERE station_id = 'never-heard-of'")
    assert row == {"region": "us-ca", "latitude_deg": None, "registry": "observed"}


def test_the_registrys_region_wins_over_the_events(stream: Stream):
    stream.send(reading("moved", air_temperature_c=1.0))
    stream.settle()
    stream.send(reading("moved", 5, air_temperature_c=2.0, region="us-or"))
    stream.settle()
    assert curated(stream, "moved", "DISTINCT region") == [{"region": "us-ca"}]
