"""Sensors of the control plane."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from weahouse.orchestration import rest
from weahouse.orchestration.triggers import StreamHealthTrigger
from weahouse.settings import settings

if TYPE_CHECKING:
    from airflow.sdk import Context

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
