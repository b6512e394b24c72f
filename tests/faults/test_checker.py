"""The proof of the checker: each planted violation is seen, exactly that one, by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.faults.checker import Content, check
from tests.faults.load import prefix
from weahouse.io.alerts import alerts_of, partitions_of
from weahouse.io.delta import open_table, read_table, table_path
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_QUARANTINE, RAW_OBSERVATIONS
from weahouse.schemas.kinds import Dataset

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tests.faults.conftest import Struck
    from tests.integration.conftest import Stream

PREFIX = prefix(0)


def row(number: int, minute: int) -> str:
    """A condition of CQL on one observation of a station that reports every minute."""
    at = f"2024-05-01 04:{minute:02d}:00+0000"
    return f"station_id = '{PREFIX}{number:02d}' AND day = '2024-05-01' AND observed_at = '{at}'"


def in_delta(number: int, minute: int) -> str:
    return f"station_id = '{PREFIX}{number:02d}' AND observed_at = '2024-05-01 04:{minute:02d}:00'"


def append_again(spark: SparkSession, stream: Stream, dataset: Dataset, condition: str) -> None:
    table = read_table(spark, stream.settings, dataset)
    copy = spark.createDataFrame(table.where(condition).limit(1).collect(), table.schema)
    copy.write.format("delta").mode("append").save(table_path(stream.settings, dataset))


def delete_one(spark: SparkSession, stream: Stream, dataset: Dataset, condition: str) -> None:
    found = read_table(spark, stream.settings, dataset).where(condition).first()
    assert found is not None
    place = f"`partition` = {found['partition']} AND `offset` = {found['offset']}"
    open_table(spark, stream.settings, dataset).delete(place)


def a_row_deleted_in_cassandra(spark: SparkSession, stream: Stream) -> str:
    stream.served(f"DELETE FROM observations_by_station WHERE {row(1, 1)}")
    return "cassandra_absent"


def a_flag_changed_in_cassandra(spark: SparkSession, stream: Stream) -> str:
    stream.served(f"UPDATE observations_by_station SET air_temperature_c_flag = 3 WHERE {row(1, 2)}")
    return "cassandra_changed"


def a_row_that_only_cassandra_has(spark: SparkSession, stream: Stream) -> str:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}+0000"
    key = f"'{PREFIX}01', '2024-05-01', '2024-05-01 04:03:30+0000', '{now}'"
    stream.served(f"INSERT INTO observations_by_station (station_id, day, observed_at, ingested_at) VALUES ({key})")
    return "cassandra_foreign"


def a_flag_changed_everywhere(spark: SparkSession, stream: Stream) -> str:
    stream.served(f"UPDATE observations_by_station SET air_pressure_hpa_flag = 2 WHERE {row(3, 4)}")
    open_table(spark, stream.settings, CURATED_OBSERVATIONS).update(in_delta(3, 4), {"air_pressure_hpa_flag": "2"})
    return "content_differs"


def a_row_doubled_in_curated(spark: SparkSession, stream: Stream) -> str:
    append_again(spark, stream, CURATED_OBSERVATIONS, in_delta(5, 5))
    return "duplicate_key"


def a_quarantined_record_deleted(spark: SparkSession, stream: Stream) -> str:
    delete_one(spark, stream, CURATED_QUARANTINE, f"startswith(cast(key AS string), '{PREFIX}')")
    return "unaccounted"


def a_quarantined_record_doubled(spark: SparkSession, stream: Stream) -> str:
    append_again(spark, stream, CURATED_QUARANTINE, f"startswith(cast(key AS string), '{PREFIX}')")
    return "doubled"


def an_offset_missing(spark: SparkSession, stream: Stream) -> str:
    delete_one(spark, stream, RAW_OBSERVATIONS, "cast(value AS string) LIKE '%04:07:00%'")
    return "acknowledged_lost"


def an_offset_twice(spark: SparkSession, stream: Stream) -> str:
    append_again(spark, stream, RAW_OBSERVATIONS, "cast(value AS string) LIKE '%04:08:00%'")
    return "raw_doubled"


def a_pane_off_by_one(spark: SparkSession, stream: Stream) -> str:
    key = f"station_id = '{PREFIX}07' AND day = '2024-05-01' AND window_start = '2024-05-01 04:10:00+0000'"
    [row] = stream.served(f"SELECT dew_point_c_pane AS pane FROM summaries_by_station WHERE {key}")
    changed = row["pane"]._replace(value_count=row["pane"].value_count + 1)
    told = ", ".join(f"{name}: {value}" for name, value in changed._asdict().items() if value is not None)
    stream.served(f"UPDATE summaries_by_station SET dew_point_c_pane = {{{told}}} WHERE {key}")
    return "pane_differs"


def a_latest_value_that_went_back(spark: SparkSession, stream: Stream) -> str:
    key = f"region = 'us-il' AND station_id = '{PREFIX}01'"
    back = "{observed_at: '2024-05-01 08:00:00+0000', measured_value: 1.0, flag: 1}"
    # Versions of this table come from the time observed and lie far beyond the clock's.
    version = "USING TIMESTAMP 9000000000000000"
    stream.served(f"UPDATE latest_by_region {version} SET dew_point_c_latest_value = {back} WHERE {key}")
    return "latest_differs"


def an_alert_with_another_peak(spark: SparkSession, stream: Stream) -> str:
    found = alerts_of(stream.settings, partitions_of(stream.settings))
    alert = next(a for a in found if a["station_id"].startswith(PREFIX) and a["alert_state"] != "withdrawn")
    stream.served(
        "UPDATE alerts_by_region SET peak_value = 99.0 "
        "WHERE region = ? AND month = '2024-05' AND first_window = ? AND alert_id = ?",
        alert["region"],
        alert["first_window"],
        alert["alert_id"],
    )
    return "alerts_differ"


PLANTED = (
    a_row_deleted_in_cassandra,
    a_flag_changed_in_cassandra,
    a_row_that_only_cassandra_has,
    a_flag_changed_everywhere,
    a_row_doubled_in_curated,
    a_quarantined_record_deleted,
    a_quarantined_record_doubled,
    an_offset_missing,
    an_offset_twice,
    a_pane_off_by_one,
    a_latest_value_that_went_back,
    an_alert_with_another_peak,
)


def test_a_seed_that_was_never_sent_is_no_success(spark: SparkSession, struck: Struck):
    nothing = replace(
        struck.result.expected, seed=-1, since=datetime.now(UTC), acknowledged=[], calm=Content({}, frozenset())
    )
    report = check(spark, struck.bed.stream, nothing)
    assert set(report.names) == {"nothing_compared"}
    assert {violation.detail for violation in report.violations} >= {"acknowledged records", "offsets", "panes"}


# A check reads everything anew and costs ten seconds: all are planted, each in another place, before the one check.
def test_each_planted_violation_is_seen_once_by_its_name_and_no_other(spark: SparkSession, struck: Struck):
    assert struck.result.report.violations == []
    names = [plant(spark, struck.bed.stream) for plant in PLANTED]
    report = check(spark, struck.bed.stream, struck.result.expected)
    assert sorted(report.names) == sorted(names)
    # An alert differs by what stands and by what should.
    counts = {violation.name: int(violation.detail.split()[0]) for violation in report.violations}
    assert counts == dict.fromkeys(names, 1) | {"alerts_differ": 2}
