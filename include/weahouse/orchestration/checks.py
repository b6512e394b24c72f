"""Checks of tables as tasks: their verdict, and the way from the task to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.apache.hdfs.hooks.webhdfs import WebHDFSHook
from airflow.sdk.exceptions import AirflowSkipException

from weahouse.orchestration.page_links import DATA_DOCS_URL, DataDocsLink
from weahouse.orchestration.spark_app import SparkAppOperator
from weahouse.schemas.render import path
from weahouse.settings import settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from weahouse.schemas.kinds import Dataset


class ValidateDatasetOperator(SparkAppOperator):
    """Checks a table, or the rows that `arguments` name, with `validate_dataset`.

    An expectation that is not met fails the task at once; where there is no verdict it is tried again. Nothing is
    published then, so that consumers stay with the version that passed last. What is published is the application's
    answer, with the version that was checked, and `about`, what the producer has to say of it.

    `only`: the name of the one table that the run is for; others are skipped. With `skip_missing` a table that does not
    exist yet is skipped too; without, it is an error.
    """

    template_fields: Sequence[str] = (*SparkAppOperator.template_fields, "only", "about")
    operator_extra_links = (DataDocsLink(),)

    def __init__(
        self,
        *,
        dataset: Dataset,
        arguments: Mapping[str, str] | None = None,
        only: str = "",
        skip_missing: bool = False,
        about: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(app="validate_dataset", arguments={"dataset": dataset.name, **(arguments or {})}, **kwargs)
        self.dataset = dataset
        self.only = only
        self.skip_missing = skip_missing
        self.about = about
        self.page: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:  # type: ignore[override]
        """Submit, wait and judge; raises AirflowFailException for a verdict, AirflowException where there is none."""
        if self.only and self.only != self.dataset.name:
            raise AirflowSkipException(f"this run is for {self.only}")
        if self.skip_missing and not self._exists():
            raise AirflowSkipException(f"{self.dataset.name} does not exist yet")
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
        return (
            f"{self.dataset.name} version {answer['version']}: {answer['failed']} of {answer['expectations']} "
            f"expectations are not met; the lines above name them, and so does {DATA_DOCS_URL}{self.page}"
        )

    def _exists(self) -> bool:
        log = f"{path(self.dataset, settings().hdfs_root)}/_delta_log"
        return bool(WebHDFSHook().check_for_path(log))
