"""Inference: features of some reference times -> forecasts in Gold, and those of the champions in Cassandra."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from weahouse.batch.parts import replace_part
from weahouse.batch.registry import Model, in_use, predictor, registry
from weahouse.batch.writer import Writer
from weahouse.io.delta import ensure_table, read_table, version_of
from weahouse.ml.errors import FeatureSchemaError, NoChampionError, NoDataError
from weahouse.ml.features import check_features, schema_hash
from weahouse.ml.forecasts import forecasts, latest
from weahouse.schemas.gold import GOLD_FORECASTS, GOLD_STATION_FEATURES, MODEL_KEY, TARGET
from weahouse.schemas.serving_tables import FORECASTS_BY_STATION
from weahouse.streaming.sink import planned_write
from weahouse.transforms.served import forecast_rows

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

    from weahouse.settings import Settings

JOB = "inference"
Hours = tuple[datetime, datetime]


def infer(
    spark: SparkSession,
    settings: Settings,
    first: datetime,
    last: datetime,
    *,
    serve: bool = True,
    writer: Writer | None = None,
) -> dict[str, Any]:
    """Forecast all stations that have features of the full hours from `first` to `last`; again, it changes nothing.

    The champions and both baselines forecast, so that later all can be compared; a model's earlier forecasts of these
    hours are replaced, others' are left alone. With `serve`, the newest of the champions go to Cassandra, where an
    older hour never takes the place of a newer one. Returns stations, forecasts, forecasts_written, rows_served, by
    target the champion, and `served_record`, of one row that went to Cassandra its key and its issued_at. Raises
    ValueError for a time that is no full hour, NoChampionError, NoDataError, FeatureSchemaError, ModelUnreadableError,
    and FencedError where a newer run has taken over.
    """
    hours = (_full_hour(first), _full_hour(last))
    ensure_table(spark, settings, GOLD_STATION_FEATURES)
    features, features_version = _features(spark, settings, hours)
    used, registry_version = _models(settings)
    if features.isEmpty():
        raise NoDataError(f"no station has features of {_span(hours)}: run gold_aggregation, or ask for another hour")
    made = [_forecasts(spark, settings, features, model) for model in used]
    rows = reduce(DataFrame.unionByName, made).localCheckpoint()
    writer = writer or Writer.on_hdfs(settings, JOB)
    are_own = _any_of(used, *MODEL_KEY, *TARGET)
    counts = replace_part(rows, settings, GOLD_FORECASTS, partial(_issued, hours), writer, lambda t: t.where(are_own))
    champions = [model for model in used if model.is_champion]
    newest = latest(rows.where(_any_of(champions, *MODEL_KEY, *TARGET))).localCheckpoint()
    served_rows = forecast_rows(newest, registry_version, features_version)
    served = planned_write(served_rows, settings, FORECASTS_BY_STATION)() if serve else 0
    return {
        "issued": _span(hours),
        "stations": rows.select("station_id").distinct().count(),
        "forecasts": rows.count(),
        "forecasts_written": counts["written"],
        "rows_served": served,
        "served_record": _example(newest) if served else None,
        "champions": {model.target.name: f"{model.model_name} {model.model_version}" for model in champions},
    }


def _full_hour(issued_at: datetime) -> datetime:
    moment = issued_at.astimezone(UTC)
    if (moment.minute, moment.second, moment.microsecond) != (0, 0, 0):
        raise ValueError(f"{issued_at.isoformat()} is no full hour: forecasts are issued at full hours, such as 12:00Z")
    return moment


def _span(hours: Hours) -> str:
    return " to ".join(f"{hour:%Y-%m-%dT%H:%MZ}" for hour in dict.fromkeys(hours))


def _issued(hours: Hours, prefix: str = "") -> Column:
    """Literal bounds over the reference times, by which partitions are skipped."""
    days = F.col(f"{prefix}issued_date").between(*[F.lit(hour.date()) for hour in hours])
    return days & F.col(f"{prefix}issued_at").between(*[F.lit(hour) for hour in hours])


def _example(newest: DataFrame) -> dict[str, Any]:
    row = newest.orderBy(F.desc("issued_at"), *FORECASTS_BY_STATION.key).first()
    assert row is not None
    key = {name: row[name] for name in FORECASTS_BY_STATION.key}
    # Spark gives times of the session's zone, which is UTC, without saying so.
    return key | {"issued_at": row["issued_at"].replace(tzinfo=UTC).isoformat()}


def _features(spark: SparkSession, settings: Settings, hours: Hours) -> tuple[DataFrame, int]:
    version = version_of(spark, settings, GOLD_STATION_FEATURES)
    table = read_table(spark, settings, GOLD_STATION_FEATURES, version)
    check_features(table)
    # A branch of the plan for each model reads them.
    return table.where(_issued(hours)).localCheckpoint(), version


def _models(settings: Settings) -> tuple[list[Model], int]:
    known, version = registry(settings)
    used = in_use(known)
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


def _any_of(used: Sequence[Model], *columns: str) -> str:
    """Whether a row is of one of these models, by some of its columns; versions are of a form that needs no escape."""
    each = {" AND ".join(f"{column} = '{getattr(model, column)}'" for column in columns) for model in used}
    return " OR ".join(f"({one})" for one in sorted(each))
