"""Spark applications as tasks: a thin layer over the provider's operator, and what the application answers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from weahouse.embedded.airflow import SPARK_POOL
from weahouse.orchestration.spark_submit import (
    DRIVER_MEMORY,
    driver_class_path,
    executor_jars,
    scratch_folder,
    spark_conf,
    spark_environment,
)
from weahouse.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow.sdk import Context


# The first curation of a backlog of millions takes minutes; what takes longer hangs.
LONGEST = timedelta(hours=1)


class SparkAppOperator(SparkSubmitOperator):
    """Runs `spark_apps/<app>.py` with `arguments` as its options; of all such tasks one at a time.

    Returns the JSON object that the application prints last, which the events of its assets carry too. Options whose
    value is empty are left out; one that is a dict is told as JSON. The command is rendered when the task runs,
    from the settings of where it runs.
    """

    template_fields: Sequence[str] = ("arguments",)

    def __init__(self, *, app: str, arguments: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("pool", SPARK_POOL)
        kwargs.setdefault("execution_timeout", LONGEST)
        super().__init__(name=app, driver_memory=DRIVER_MEMORY, **kwargs)
        self.app = app
        self.arguments = dict(arguments or {})

    def execute(self, context: Context) -> dict[str, Any]:  # type: ignore[override]
        """Submit and wait.

        Raises AirflowException, with the end of the log, where the application fails, and is retried; where it has
        answered and then failed that is its verdict, which a retry would not change: AirflowFailException.
        """
        self.render()
        try:
            super().execute(context)
        except AirflowException as error:
            answer = self._answer()
            verdict = None if answer is None else self.verdict(answer)
            if verdict is None:
                raise
            raise AirflowFailException(verdict) from error
        found = self._answer()
        if found is None:
            raise AirflowException(f"{self.app} ended without an answer: see the lines above")
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = found
        return found

    def verdict(self, answer: dict[str, Any]) -> str | None:
        """What an application that failed has found, as a sentence; None where it failed for another reason."""
        return f"{self.app} has found a fault: {json.dumps(answer)}"

    def _answer(self) -> dict[str, Any] | None:
        return last_answer(self._hook._last_submit_log_lines) if self._hook else None

    def render(self) -> None:
        """Take the application's place and options from this machine's settings."""
        instance = settings()
        scratch_folder(instance, self.app).mkdir(parents=True, exist_ok=True)
        self.application = str(instance.checkout / "spark_apps" / f"{self.app}.py")
        given = {name: value for name, value in self.arguments.items() if value}
        self.application_args = [word for name, value in given.items() for word in (f"--{name}", _word(value))]
        self.conf = spark_conf(instance, self.app)
        self.driver_class_path = driver_class_path(instance)
        self.jars = executor_jars(instance, instance.spark_master)
        self.env_vars = spark_environment(instance)


def _word(value: Any) -> str:
    """An option's value as it was meant: a Dag that renders native objects makes them of what looks like one."""
    return json.dumps(value) if isinstance(value, dict) else str(value)


def last_answer(lines: Iterable[str]) -> dict[str, Any] | None:
    """The last of an application's lines that is a JSON object; Spark's own words may come after it."""
    for line in reversed(list(lines)):
        if line.startswith("{"):
            try:
                found: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            return found
    return None
