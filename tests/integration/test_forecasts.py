"""Forecasts on the real servers: what Cassandra serves of them, and how Airflow's tasks ask for it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from pyspark.sql import SparkSession
from tests.integration.apart import Apart, apart
from tests.ml.world import MIDNIGHT, STATIONS, at, hourly, places, world

from weahouse.batch.inference import infer
from weahouse.batch.registry import Model, record
from weahouse.embedded.airflow import connections
from weahouse.io.delta import ensure_table, table_path, version_of
from weahouse.ml.baselines import PERSISTENCE
from weahouse.ml.features import schema_hash, station_features
from weahouse.ml.targets import TARGETS
from weahouse.orchestration.forecasts import ServedForecastSensor, why_nothing_to_forecast
from weahouse.schemas.gold import CHAMPION, GOLD_FORECASTS, GOLD_STATION_FEATURES
from weahouse.settings import Settings

NOON, ONE = at(36), at(37)
ASKED = ("2024-05-02T12:00:00Z", "2024-05-02T13:00:00Z")


@pytest.fixture(scope="module")
def bare(platform: Settings) -> Apart:
    return apart(platform, "forecasts")


@pytest.fixture(scope="module")
def promoted(bare: Apart, spark: SparkSession) -> Apart:
    """Two days of features, and persistence as champion, which needs no training."""
    settings = bare.settings
    assert why_nothing_to_forecast(settings, *ASKED) == "no model has been promoted yet: run model_training"
    record(
        settings,
        [
            Model(
                *(PERSISTENCE, "v1", target.predictand, target.lead_time_h, CHAMPION, "none", schema_hash()),
                *({"bounds": None if target.is_probability else (-1.0, 1.0)}, {}, MIDNIGHT, MIDNIGHT, "none", MIDNIGHT),
            )
            for target in TARGETS
        ],
    )
    assert "no station has features of 2024-05-02T12:00:00Z to" in (why_nothing_to_forecast(settings, *ASKED) or "")
    ensure_table(spark, settings, GOLD_STATION_FEATURES)
    features = station_features(hourly(spark, world(days=2)), places(spark, a=(40.0, 0.0)))
    features.coalesce(1).write.format("delta").mode("append").save(table_path(settings, GOLD_STATION_FEATURES))
    assert why_nothing_to_forecast(settings, *ASKED) is None
    return bare


def served(stream: Apart) -> dict[str, list[dict[str, Any]]]:
    query = "SELECT * FROM forecasts_by_station WHERE station_id = ?"
    return {station: stream.served(query, station) for station in STATIONS}


@pytest.fixture(scope="module")
def issued(promoted: Apart, spark: SparkSession) -> dict[str, Any]:
    """What the inference of noon and of the hour after it has told."""
    return infer(spark, promoted.settings, NOON, ONE)


def test_the_newest_forecasts_of_each_station_are_served_and_an_older_hour_takes_nothing_back(
    promoted: Apart, issued: dict[str, Any], spark: SparkSession
):
    assert (issued["rows_served"], issued["forecasts_written"]) == (len(STATIONS) * 5, len(STATIONS) * 5 * 2)
    before = served(promoted)
    for rows in before.values():
        assert {(row["predictand"], row["lead_time_h"]) for row in rows} == {
            *(("air_temperature_c", lead) for lead in (1, 3, 6, 24)),
            ("rain_within_3h", 3),
        }
        assert {row["issued_at"] for row in rows} == {ONE.replace(tzinfo=None)}
    version = version_of(spark, promoted.settings, GOLD_FORECASTS)
    assert infer(spark, promoted.settings, NOON, NOON)["forecasts_written"] == 0
    assert served(promoted) == before
    assert version_of(spark, promoted.settings, GOLD_FORECASTS) == version


def test_airflow_waits_for_the_forecast_that_was_promoted_and_for_no_older_one(
    promoted: Apart, issued: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    told = connections(promoted.settings)["cassandra_default"]
    monkeypatch.setenv("AIRFLOW_CONN_CASSANDRA_DEFAULT", json.dumps(told))
    record_of = issued["served_record"]
    assert datetime.fromisoformat(record_of["issued_at"]) == ONE

    def is_served(keys: dict[str, Any] | None) -> bool:
        return ServedForecastSensor(task_id="await", keys=keys).poke({})

    assert is_served(record_of)
    assert not is_served(record_of | {"issued_at": (ONE + timedelta(hours=1)).isoformat()})
    assert not is_served(record_of | {"station_id": "nowhere"})
    with pytest.raises(AirflowSkipException, match="nothing was promoted"):
        is_served(None)
