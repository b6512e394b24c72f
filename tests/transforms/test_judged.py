"""What Cassandra is to hold of verdicts, and what is written so that it does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.curated import HOUR, MINUTE, NOON, curated, observation

from weahouse.qc.masks import BAD, GOOD, SUSPECT
from weahouse.qc.verdicts import with_verdict
from weahouse.schemas.datasets import CURATED_VERDICTS
from weahouse.schemas.fields import FIELDS, VARIABLES, flag_of, latest_of, pane_of
from weahouse.schemas.render import to_spark
from weahouse.schemas.serving_tables import INSERT, OVERWRITE
from weahouse.streaming.checkpointed import checkpointed
from weahouse.transforms.dispositions import differences, pane_differences
from weahouse.transforms.judged import (
    JUDGED_PANE_COLUMNS,
    VALUE_COLUMNS,
    VALUE_KEY,
    VERDICT_COLUMNS,
    by_pane,
    judged_panes,
    judged_values,
    pane_writes,
    value_writes,
    verdict_rows,
    verdict_writes,
)
from weahouse.transforms.panes import windows
from weahouse.transforms.served import observation_rows, summary_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame, SparkSession

    Told = dict[str, Any]

TEMPERATURE, WIND = "air_temperature_c", "wind_speed_mps"
WRITE_TIME = 1_764_000_000_000_001
# A spike among ten reports of a window, and a calm window after it; the spike is bad and its wind doubtful.
SPIKE = 5


def reports() -> list[Told]:
    return [
        observation(NOON + minute * MINUTE, air_temperature_c=40.0 if minute == SPIKE else 20.0, wind_speed_mps=3.0)
        for minute in range(20)
    ]


def verdict(row: Told, **flags: int) -> Told:
    said = {name: row.get(name) for name in CURATED_VERDICTS.columns} | {"tests_excused": 0, "quality_level": 3}
    return said | {"tests_failed": 5, "rules_version": "deeper"} | flags


WORSE = {flag_of(TEMPERATURE): BAD, flag_of(WIND): SUSPECT}


def judged(spark: SparkSession, rows: list[Told], **changed: Any) -> DataFrame:
    """The rows with their verdicts, of which the spike's has `changed` members."""
    said = [verdict(row, **(WORSE | changed if i == SPIKE else {})) for i, row in enumerate(rows)]
    table = spark.createDataFrame(said, to_spark(CURATED_VERDICTS))
    return with_verdict(curated(spark, rows), table)


@pytest.fixture(scope="module")
def verdicts(spark: SparkSession) -> DataFrame:
    """What is to be served of the spike."""
    return checkpointed(verdict_rows(judged(spark, reports())))


@pytest.fixture(scope="module")
def spiked(spark: SparkSession) -> DataFrame:
    """What is to be served of the spike's window."""
    return checkpointed(judged_panes(judged(spark, reports())))


def table(spark: SparkSession, columns: Iterable[str], *rows: Told) -> DataFrame:
    """What Cassandra holds."""
    return spark.createDataFrame(list(rows), ", ".join(f"{name} {FIELDS[name].type}" for name in columns))


def test_only_what_a_verdict_makes_worse_is_to_be_served(verdicts: DataFrame):
    rows = reports()
    [told] = verdicts.collect()
    flags = {name: told[name] for name in map(flag_of, VARIABLES) if told[name] is not None}
    assert (told["observed_at"], flags) == (rows[SPIKE]["observed_at"].replace(tzinfo=None), WORSE)
    assert (told["tests_failed"], told["quality_level"], told["rules_version"]) == (5, 3, "deeper")


def test_a_verdict_of_an_earlier_version_of_a_row_is_not_served(spark: SparkSession):
    rows = judged(spark, reports(), revision=3)
    assert verdict_rows(rows).count() == judged_panes(rows).count() == 0


def test_a_verdict_is_of_the_version_with_which_the_stream_writes_the_row(spark: SparkSession):
    rows = reports()
    rows[SPIKE] |= {"revision": 2}
    [told] = verdict_rows(judged(spark, rows)).collect()
    classified = curated(spark, rows).selectExpr("*", "'new' AS change", "false AS contested")
    written = observation_rows(classified).where(f"air_temperature_c = {40.0}").first()
    assert written is not None
    assert told["judged_version"] == written["version"]


def test_a_window_with_a_verdict_has_its_panes_without_the_bad_and_with_the_suspect(spiked: DataFrame):
    [window] = spiked.collect()
    told = {variable: window[pane_of(variable)] for variable in VARIABLES if window[pane_of(variable)] is not None}
    assert set(told) == {TEMPERATURE, WIND}
    assert (told[TEMPERATURE]["value_count"], told[TEMPERATURE]["value_max"]) == (9, 20.0)
    assert (told[WIND]["value_count"], told[WIND]["suspect_count"]) == (10, 1)


def test_judged_panes_are_of_the_version_that_the_streams_panes_have(spark: SparkSession, spiked: DataFrame):
    rows = reports()
    [window] = spiked.collect()
    made = windows(curated(spark, rows), 10).selectExpr("*", "false AS replaced")
    found = {row["pane_version"] for row in summary_rows(made).collect()}
    assert len(found) == 2
    assert window["judged_version"] in found
    # One more reading of the window, and it is another.
    more = [*rows, observation(NOON + SPIKE * MINUTE + MINUTE / 2, air_temperature_c=21.0)]
    assert judged_panes(judged(spark, more)).first()["judged_version"] != window["judged_version"]


def test_a_window_whose_values_are_all_bad_is_told_so(spark: SparkSession):
    spike = reports()[SPIKE]
    said = spark.createDataFrame([verdict(spike, **WORSE)], to_spark(CURATED_VERDICTS))
    panes = by_pane(judged_panes(with_verdict(curated(spark, [spike]), said)))
    assert {row["variable"]: row["value_count"] for row in panes.collect()} == {TEMPERATURE: 0, WIND: 1}


def test_what_does_not_stand_is_written_and_what_stands_is_not(spark: SparkSession, verdicts: DataFrame):
    made = verdicts
    nothing = table(spark, VERDICT_COLUMNS)
    [row] = verdict_writes(differences(made, nothing, VERDICT_COLUMNS), made, nothing, WRITE_TIME).collect()
    assert (row["write_mode"], row["version"], row["station_id"]) == (INSERT, WRITE_TIME, "a")
    assert row["ingested_at_s"] == int((NOON + SPIKE * MINUTE + MINUTE).timestamp())
    assert row["day"] == int(datetime(2024, 5, 1, tzinfo=UTC).timestamp())
    assert {name: row["verdict"][name] for name in WORSE} == WORSE
    assert verdict_writes(differences(made, made, VERDICT_COLUMNS), made, made, WRITE_TIME).count() == 0


def test_what_stands_and_is_said_no_more_is_taken_away(spark: SparkSession, verdicts: DataFrame):
    served = verdicts
    nothing = table(spark, VERDICT_COLUMNS)
    [row] = verdict_writes(differences(nothing, served, VERDICT_COLUMNS), nothing, served, WRITE_TIME).collect()
    assert (row["write_mode"], row["verdict"], row["version"]) == (OVERWRITE, None, WRITE_TIME)
    assert row["ingested_at_s"] == int((NOON + SPIKE * MINUTE + MINUTE).timestamp())


def test_a_window_is_written_whole_where_one_of_its_panes_differs(spark: SparkSession, spiked: DataFrame):
    made, panes = spiked, by_pane(spiked)
    served = panes.where(f"variable = '{WIND}'")
    differing = pane_differences(panes, served, "judged_version")
    [row] = pane_writes(differing, made, served, WRITE_TIME).collect()
    assert {name for name, pane in row["judged_panes"].asDict().items() if pane is not None} == {
        "judged_version",
        pane_of(TEMPERATURE),
        pane_of(WIND),
    }
    nothing = table(spark, JUDGED_PANE_COLUMNS)
    gone = made.limit(0)
    [row] = pane_writes(pane_differences(nothing, panes, "judged_version"), gone, panes, WRITE_TIME).collect()
    assert (row["write_mode"], row["judged_panes"]) == (OVERWRITE, None)


def test_panes_of_another_version_differ_though_their_statistics_do_not(spiked: DataFrame):
    panes = by_pane(spiked)
    older = panes.selectExpr("* EXCEPT (judged_version)", "judged_version - 1 AS judged_version")
    assert {row["difference"] for row in pane_differences(panes, older, "judged_version").collect()} == {"changed"}
    assert pane_differences(panes, older).count() == 0


@pytest.mark.parametrize(("minute", "flags"), [(SPIKE, {TEMPERATURE: BAD, WIND: SUSPECT}), (SPIKE + 1, {})])
def test_a_latest_value_has_the_flag_of_the_verdict_on_its_reading(
    spark: SparkSession, verdicts: DataFrame, minute: int, flags: Told
):
    at = NOON + minute * MINUTE
    key = {"region": "us-ca", "station_id": "a", "observed_at": at, "ingested_at": at + MINUTE, "flag": GOOD}
    values = [key | {"variable": TEMPERATURE, "measured_value": 40.0}, key | {"variable": WIND, "measured_value": 3.0}]
    latest = table(spark, VALUE_COLUMNS, *values)
    made = judged_values(latest, verdicts)
    assert {row["variable"]: row["flag"] for row in made.collect()} == flags
    nothing = table(spark, VALUE_COLUMNS)
    rows = value_writes(differences(made, nothing, VALUE_COLUMNS, VALUE_KEY), made, nothing, WRITE_TIME).collect()
    assert [(row["write_mode"], row["judged_values"][latest_of(TEMPERATURE)]["flag"]) for row in rows] == (
        [(INSERT, BAD)] if flags else []
    )


def test_a_latest_value_that_was_corrected_since_is_not_flagged(spark: SparkSession, verdicts: DataFrame):
    at = NOON + SPIKE * MINUTE
    value = {"region": "us-ca", "station_id": "a", "variable": TEMPERATURE, "measured_value": 21.0, "flag": GOOD}
    latest = table(spark, VALUE_COLUMNS, value | {"observed_at": at, "ingested_at": at + HOUR})
    assert judged_values(latest, verdicts).count() == 0
