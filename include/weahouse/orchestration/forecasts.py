"""Operators and sensors around models and forecasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.cassandra.hooks.cassandra import CassandraHook
from airflow.providers.apache.cassandra.sensors.record import CassandraRecordSensor
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from weahouse.io import lake
from weahouse.io.small_tables import read_rows
from weahouse.orchestration import forecast_hours
from weahouse.orchestration.operators import reject_unknown_conf
from weahouse.orchestration.training_request import TrainingRequestError, checked
from weahouse.schemas.gold import CHAMPION, GOLD_MODELS, GOLD_STATION_FEATURES
from weahouse.schemas.serving_tables import FORECASTS_BY_STATION
from weahouse.settings import Settings, settings

if TYPE_CHECKING:
    from airflow.sdk import Context


class CheckTrainingOperator(BaseOperator):
    """Checks what a run of `model_training` asks for, before anything is read.

    Returns {"kinds", "without_champion"} as the application takes them. Raises AirflowFailException.
    """

    def execute(self, context: Context) -> dict[str, str]:
        """Read the parameters."""
        reject_unknown_conf(context)
        try:
            return checked(context["params"])
        except TrainingRequestError as error:
            raise AirflowFailException(str(error)) from None


class PlanForecastsOperator(BaseOperator):
    """Decides for which reference times a run forecasts: the parameter `issued_at`, else the last hours.

    Returns {"from", "to"}. Where there is nothing to forecast with, no champion or no features, the run says so and is
    skipped, without a JVM; an hour that a person asked for fails then. Raises AirflowFailException also for a time that
    cannot be meant, and LakeError, which is tried again, while HDFS does not answer.
    """

    def execute(self, context: Context) -> dict[str, str]:
        """Read `issued_at`, the registry and the newest features."""
        reject_unknown_conf(context)
        asked = context["params"]["issued_at"]
        try:
            first, last = map(forecast_hours.written, forecast_hours.choose(asked, datetime.now(UTC)))
        except forecast_hours.ForecastHourError as error:
            raise AirflowFailException(str(error)) from None
        if lack := why_nothing_to_forecast(settings(), first, last):
            raise (AirflowFailException if asked else AirflowSkipException)(lack)
        return {"from": first, "to": last}


def why_nothing_to_forecast(instance: Settings, first: str, last: str) -> str | None:
    """What is missing for forecasts that are issued from one full hour to another, as a sentence; None where nothing.

    Raises LakeError.
    """
    if all(model["model_state"] != CHAMPION for model in read_rows(instance, GOLD_MODELS)):
        return "no model has been promoted yet: run model_training"
    table = GOLD_STATION_FEATURES
    within = f"issued_date BETWEEN '{first[:10]}' AND '{last[:10]}' AND issued_at BETWEEN '{first}' AND '{last}'"
    if lake.open_table(instance, table) is None or not _any(instance, f"FROM {table.name} WHERE {within}"):
        return f"no station has features of {first} to {last}: gold_aggregation makes them"
    return None


def _any(instance: Settings, rest: str) -> bool:
    return bool(lake.query(instance, f"SELECT 1 AS found {rest} LIMIT 1").num_rows)


class ServedForecastSensor(CassandraRecordSensor):
    """Waits until Cassandra serves a forecast that was just promoted, asked through `cassandra_default`.

    `keys`: of `forecasts_by_station`, with the `issued_at` that the row must have reached: there may be a newer one by
    now, an older one is not what was promoted. Skipped where nothing was promoted.
    """

    def __init__(self, *, keys: Any, **kwargs: Any) -> None:
        kwargs.setdefault("mode", "reschedule")
        kwargs.setdefault("poke_interval", timedelta(seconds=5))
        kwargs.setdefault("timeout", timedelta(minutes=5))
        super().__init__(table=FORECASTS_BY_STATION.name, keys=keys, **kwargs)

    def poke(self, context: Context) -> bool:  # noqa: ARG002
        """Ask once."""
        if not self.keys:
            raise AirflowSkipException("nothing was promoted to Cassandra: what was forecast is older than it keeps")
        wanted = dict(self.keys)
        issued_at = datetime.fromisoformat(wanted.pop("issued_at"))
        served = self._issued_at(wanted)
        self.log.info("%s is served as of %s", wanted, served)
        # The driver gives times without a zone, and all are UTC.
        return served is not None and served.replace(tzinfo=UTC) >= issued_at

    def _issued_at(self, key: dict[str, Any]) -> datetime | None:
        hook = CassandraHook(self.cassandra_conn_id)
        try:
            where = " AND ".join(f"{name} = %({name})s" for name in key)
            row = hook.get_conn().execute(f"SELECT issued_at FROM {self.table} WHERE {where}", key).one()
            return None if row is None else row.issued_at
        finally:
            hook.shutdown_cluster()
