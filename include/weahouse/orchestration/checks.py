"""Checks of tables as tasks: their verdict, and the way from the task to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from weahouse.orchestration.page_links import DATA_DOCS_URL, LIST, DataDocsLink
from weahouse.orchestration.spark_app import SparkAppOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from weahouse.schemas.kinds import Dataset


class ValidateDatasetOperator(SparkAppOperator):
    """Checks a table, or the rows that `arguments` name, with `validate_dataset`.

    An expectation that is not met fails the task at once; where there is no verdict it is tried again. Nothing is
    published then, so that consumers stay with the version that passed last. What is published is the application's
    answer, with the version that was checked, and `about`, what the producer has to say of it.
    """

    template_fields: Sequence[str] = (*SparkAppOperator.template_fields, "about")
    operator_extra_links = (DataDocsLink(),)

    def __init__(
        self, *, dataset: Dataset, arguments: Mapping[str, str] | None = None, about: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(app="validate_dataset", arguments={"dataset": dataset.name, **(arguments or {})}, **kwargs)
        self.about = about
        self.page: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:  # type: ignore[override]
        """Submit, wait and judge; raises AirflowFailException for a verdict, AirflowException where there is none."""
        answer = super().execute(context)
        self.page = answer["data_docs"]
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {**(self.about or {}), **answer}
        return answer

    def verdict(self, answer: dict[str, Any]) -> str | None:
        """The expectations that are not met; none failed where the application has ended badly after its answer."""
        if not answer.get("failed"):
            return None
        self.page = answer["data_docs"]
        return f"{_unmet(answer)}; the lines above name them, and so does {DATA_DOCS_URL}{self.page}"


class ValidateZoneOperator(SparkAppOperator):
    """Checks the tables of a zone that exist with `validate_zone`: all in one application, which starts but once.

    Where `arguments` name a `dataset` it is checked alone, and the task is skipped where that stands in another zone,
    and where there is nothing to check. An expectation that is not met fails the task when all tables were checked;
    where one has no verdict, all are checked again.
    """

    operator_extra_links = (DataDocsLink(),)

    def __init__(self, *, zone: str, arguments: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(app="validate_zone", arguments={"zone": zone, **(arguments or {})}, **kwargs)
        self.zone = zone
        self.page: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:  # type: ignore[override]
        """Submit, wait and judge; raises AirflowFailException for a verdict, AirflowException where there is none."""
        only = self.arguments.get("dataset")
        if only and only.partition(".")[0] != self.zone:
            raise AirflowSkipException(f"this run is for {only}")
        answer = super().execute(context)
        if not answer["tables"]:
            raise AirflowSkipException(f"{only or f'a table of {self.zone}'} does not exist yet")
        self.page = LIST
        return answer

    def verdict(self, answer: dict[str, Any]) -> str | None:
        """What the tables do not meet; none where one of them has no verdict."""
        failed = [table for table in answer["tables"] if table["failed"]]
        if answer["no_verdict"] or not failed:
            return None
        self.page = failed[0]["data_docs"] if len(failed) == 1 else LIST
        return f"{'; '.join(map(_unmet, failed))}; the lines above name them, and so does {DATA_DOCS_URL}{self.page}"


def _unmet(answer: Mapping[str, Any]) -> str:
    unmet = f"{answer['failed']} of {answer['expectations']} expectations are not met"
    return f"{answer['dataset']} version {answer['version']}: {unmet}"
