"""Operators of the control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from weahouse.orchestration import driver
from weahouse.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class StartStreamOperator(BaseOperator):
    """Starts the streaming driver detached, or adopts the one that lives; with `stop` ends it gracefully instead.

    A stream that was stopped stays stopped. As a run's first task it refuses parameters that the Dag does not have,
    which Airflow accepts in silence. Returns {"action", "pid", "reason"}.
    """

    template_fields: Sequence[str] = ("stop",)

    def __init__(self, *, stop: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stop = stop

    def execute(self, context: Context) -> driver.Document:
        """Start, adopt or stop; raises OSError, and is retried, while HDFS does not answer."""
        reject_unknown_conf(context)
        outcome = driver.stop(settings()) if self.stop is True else driver.start_or_adopt(settings())
        self.log.info("%s: pid %s, %s", outcome["action"], outcome["pid"], outcome["reason"])
        return outcome


def reject_unknown_conf(context: Context) -> None:
    """Fail, without a retry, a run whose configuration holds a key that is no parameter of its Dag."""
    unknown = sorted(set(context["dag_run"].conf or {}) - set(context["dag"].params))
    if unknown:
        known = ", ".join(sorted(context["dag"].params))
        raise AirflowFailException(f"unknown parameters {', '.join(unknown)}: this Dag knows {known}")
