"""Inference: features of one reference time -> forecasts in Gold, and those of the champions in Cassandra."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from weahouse.batch.registry import Model, in_use, models, predictor
from weahouse.io.cassandra_writer import Target as Serving
from weahouse.io.delta import ensure_table, read_table, replace_where, version_of
from weahouse.ml.errors import FeatureSchemaError, NoChampionError, NoDataError
from weahouse.ml.features import check_features, schema_hash
from weahouse.ml.forecasts import forecasts
from weahouse.schemas.gold import GOLD_FORECASTS, GOLD_MODELS, GOLD_STATION_FEATURES, MODEL_KEY, TARGET
from weahouse.schemas.serving_tables import FORECASTS_BY_STATION
from weahouse.transforms.served import forecast_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from weahouse.settings import Settings


def infer(spark: SparkSession, settings: Settings, issued_at: datetime, *, serve: bool = True) -> dict[str, Any]:
    """Forecast all stations that have features of a full hour; a second time changes no content.

    The champions and both baselines forecast, so that later all can be compared; a model's earlier forecasts of that
    hour are replaced, others' are left alone. With `serve`, the champions' go to Cassandra, where an older hour never
    takes the place of a newer one. Returns stations, forecasts, rows_served and by target the champion. Raises
    ValueError for a time that is no full hour, NoChampionError, NoDataError, FeatureSchemaError, ModelUnreadableError.
    """
    moment = _full_hour(issued_at)
    ensure_table(spark, settings, GOLD_STATION_FEATURES)
    ensure_table(spark, settings, GOLD_FORECASTS)
    features, features_version = _features(spark, settings, moment)
    used, registry_version = _models(spark, settings)
    made = [_forecasts(spark, settings, features, model) for model in used]
    rows = reduce(DataFrame.unionByName, made).localCheckpoint()
    stations = _stations(rows)
    if not stations:
        raise NoDataError(
            f"no station has features of {moment:%Y-%m-%dT%H:%MZ}: run gold_aggregation, or ask for another hour"
        )
    replace_where(rows, settings, GOLD_FORECASTS, _own(moment, used))
    champions = [model for model in used if model.is_champion]
    served = 0
    if serve:
        shaped = forecast_rows(rows.where(_any_of(champions, *MODEL_KEY, *TARGET)), registry_version, features_version)
        served = _serve(shaped, settings)
    return {
        "issued_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "stations": stations,
        "forecasts": rows.count(),
        "rows_served": served,
        "champions": {model.target.name: f"{model.model_name} {model.model_version}" for model in champions},
    }


def _full_hour(issued_at: datetime) -> datetime:
    moment = issued_at.astimezone(UTC)
    if (moment.minute, moment.second, moment.microsecond) != (0, 0, 0):
        raise ValueError(f"{issued_at.isoformat()} is no full hour: forecasts are issued at full hours, such as 12:00Z")
    return moment


def _features(spark: SparkSession, settings: Settings, moment: datetime) -> tuple[DataFrame, int]:
    version = version_of(spark, settings, GOLD_STATION_FEATURES)
    table = read_table(spark, settings, GOLD_STATION_FEATURES, version)
    check_features(table)
    is_asked = (F.col("issued_date") == F.lit(moment.date())) & (F.col("issued_at") == F.lit(moment))
    # A branch of the plan for each model reads them.
    return table.where(is_asked).localCheckpoint(), version


def _models(spark: SparkSession, settings: Settings) -> tuple[list[Model], int]:
    ensure_table(spark, settings, GOLD_MODELS)
    version = version_of(spark, settings, GOLD_MODELS)
    used = in_use(models(spark, settings, version))
    if not any(model.is_champion for model in used):
        raise NoChampionError("no model has been promoted yet: run model_training first")
    for model in used:
        if model.feature_schema_hash != schema_hash():
            raise FeatureSchemaError(
                f"{model.model_name} {model.model_version} was trained with other features "
                f"({model.feature_schema_hash}, now {schema_hash()}): run model_training"
            )
    return used, version


def _forecasts(spark: SparkSession, settings: Settings, features: DataFrame, model: Model) -> DataFrame:
    predicted = predictor(spark, settings, model)(features)
    return forecasts(predicted, model.target, (model.model_name, model.model_version), model.bounds)


def _stations(rows: DataFrame) -> int:
    return rows.select("station_id").distinct().count()


def _own(moment: datetime, used: Sequence[Model]) -> str:
    """All that these models forecast at a time."""
    at = f"issued_date = DATE'{moment:%Y-%m-%d}' AND issued_at = TIMESTAMP'{moment:%Y-%m-%d %H:%M:%S}'"
    return f"{at} AND ({_any_of(used, *MODEL_KEY)})"


def _any_of(used: Sequence[Model], *columns: str) -> str:
    """Whether a row is of one of these models, by some of its columns; versions are of a form that needs no escape."""
    each = {" AND ".join(f"{column} = '{getattr(model, column)}'" for column in columns) for model in used}
    return " OR ".join(f"({one})" for one in sorted(each))


def _serve(rows: DataFrame, settings: Settings) -> int:
    """Write rows of `forecasts_by_station` to Cassandra; returns how many were within the retention."""
    retention_s = settings.serving_retention_days * 86400
    target = Serving(tuple(settings.cassandra), settings.cassandra_keyspace, FORECASTS_BY_STATION, retention_s)
    # A partition's rows must come together to share a request.
    sorted_rows = rows.sortWithinPartitions(*FORECASTS_BY_STATION.partition_key)
    row = sorted_rows.mapInArrow(target.write, "rows_written bigint").agg(F.sum("rows_written").alias("n")).first()
    return int(row["n"] or 0) if row else 0
