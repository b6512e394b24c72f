"""Sensors of the control plane."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.hdfs.sensors.web_hdfs import WebHdfsSensor
from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowException

from weahouse.orchestration import rest
from weahouse.orchestration.triggers import CommittedOffsetsTrigger, StreamHealthTrigger
from weahouse.schemas.render import path
from weahouse.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from weahouse.schemas.kinds import Dataset

# The trigger ends by its own deadline; this much later something is wrong with the triggerer.
MARGIN = timedelta(minutes=10)


class StreamHealthSensor(BaseSensorOperator):
    """Watches the stream's heartbeat, lag and failures from the triggerer for `watch_for`.

    Ends early when the stream must be started again; the reason is in the task's log and in the run's note.
    """

    def __init__(self, *, watch_for: timedelta, **kwargs: Any) -> None:
        kwargs.setdefault("execution_timeout", watch_for + MARGIN)
        super().__init__(**kwargs)
        self.watch_for = watch_for

    def execute(self, context: Context) -> None:  # noqa: ARG002
        """Hand the watch over to the triggerer."""
        deadline = (datetime.now(UTC) + self.watch_for).isoformat()
        self.defer(
            trigger=StreamHealthTrigger(deadline),
            method_name=self.execute_complete.__name__,
            timeout=self.watch_for + MARGIN,
        )

    def execute_complete(self, context: Context, event: dict[str, str]) -> dict[str, str]:
        """Tell how the watch ended; the next run of the Dag starts or adopts the stream."""
        if event["outcome"] != "restart":
            self.log.info("%s: %s", event["outcome"], event["reason"])
            return event
        self.log.warning("restart: %s", event["reason"])
        run = context["dag_run"]
        try:
            rest.write_note(settings(), run.dag_id, run.run_id, f"Ended by a restart: {event['reason']}")
        except rest.AirflowError as error:
            self.log.warning("the run's note could not be written: %s", error)
        return event


class TableSensor(WebHdfsSensor):
    """Waits until a Delta table exists on HDFS; the platform's first record creates it."""

    def __init__(self, *, dataset: Dataset, **kwargs: Any) -> None:
        kwargs.setdefault("mode", "reschedule")
        kwargs.setdefault("poke_interval", timedelta(seconds=15))
        super().__init__(filepath=f"{path(dataset, settings().hdfs_root)}/_delta_log", **kwargs)


class CommittedOffsetsSensor(BaseSensorOperator):
    """Waits, in the triggerer, until every query of the stream has committed a unit's records.

    `unit` is what PlanUnitOperator returns. A gate and no clock: a stream that is down or behind holds the unit back,
    for `wait_for` at most; then the task fails, and is tried again.
    """

    template_fields: Sequence[str] = ("unit",)

    def __init__(self, *, unit: Any, wait_for: timedelta, **kwargs: Any) -> None:
        kwargs.setdefault("execution_timeout", wait_for + MARGIN)
        super().__init__(**kwargs)
        self.unit = unit
        self.wait_for = wait_for

    def execute(self, context: Context) -> None:  # noqa: ARG002
        """Hand the wait over to the triggerer."""
        deadline = (datetime.now(UTC) + self.wait_for).isoformat()
        self.defer(
            trigger=CommittedOffsetsTrigger(self.unit["begin"], self.unit["end"], deadline),
            method_name=self.execute_complete.__name__,
            timeout=self.wait_for + MARGIN,
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> None:  # noqa: ARG002
        """Go on, or raise AirflowException with what is missing."""
        if event["outcome"] != "passed":
            left = ", ".join(f"{records} records by {query}" for query, records in event["lag"].items())
            raise AirflowException(f"not committed after {self.wait_for}: {left}; see `weahouse status`")
