"""One check of a table by Great Expectations: every expectation is asked, and the result has a page."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from weahouse.io.data_docs import page_of, quality_folder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from weahouse.batch.span import Span
    from weahouse.schemas.expectations import Expectation
    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

SPAN_VIEW = "checked_span"
QUERY = "unexpected_rows_query"
_EXAMPLES = 5


@dataclass(frozen=True)
class Verdict:
    """What came of a check: how many expectations there were, a line for each that was not met, and where its page is.

    `run` names the check by its time.
    """

    run: str
    expectations: int
    failures: list[str]
    page: str


def check(
    table: DataFrame, dataset: Dataset, expectations: list[Expectation], span: Span, settings: Settings
) -> Verdict:
    """Ask every expectation of the rows, and leave the result and its page in the instance's home."""
    # Great Expectations would report its use to its makers, and wait for them where there is no way out.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    began = datetime.now(UTC)
    run = f"{began:%Y%m%dT%H%M%S.%fZ}"
    _show_span(table.sparkSession, span)
    quality_folder(settings).mkdir(parents=True, exist_ok=True)
    # A folder of its own for each check: the library writes into its configuration, and two may run at once.
    with TemporaryDirectory(prefix="context-", dir=quality_folder(settings)) as folder:
        _copy_configuration(settings, folder)
        results = _results(folder, table, dataset, expectations, run, began)
    failures = [_line(result, table) for result in results if not result.success]
    return Verdict(run, len(results), failures, page_of(settings, dataset, run))


def _results(
    folder: str, table: DataFrame, dataset: Dataset, expectations: list[Expectation], run: str, began: datetime
) -> Any:
    import great_expectations as gx
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    context = gx.get_context(mode="file", context_root_dir=folder)
    suite = context.suites.add(gx.ExpectationSuite(name=dataset.name, expectations=expectations))
    if len(suite.expectations) != len(expectations):
        # The library logs what it cannot read, and goes on without it.
        raise ValueError(
            f"of {len(expectations)} expectations of {dataset.name} only {len(suite.expectations)} are valid"
        )
    asset = context.data_sources.add_spark("lake", persist=False).add_dataframe_asset(dataset.name)
    batch = asset.add_batch_definition_whole_dataframe("span")
    checks = context.validation_definitions.add(gx.ValidationDefinition(name=dataset.name, data=batch, suite=suite))
    identity = RunIdentifier(run_name=run, run_time=began)
    ask = partial(checks.run, batch_parameters={"dataframe": table}, run_id=identity)
    # Mere verdicts are asked for together, in one job for all that have a condition; which values differ, one by one.
    found = ask(result_format="BOOLEAN_ONLY")
    if not found.success:
        found = ask(result_format="BASIC")
    suite_id = ExpectationSuiteIdentifier(name=dataset.name)
    pages: list[Any] = [suite_id, ValidationResultIdentifier(suite_id, identity, found.batch_id)]
    context.build_data_docs(resource_identifiers=pages, build_index=False)
    return found.results


def _copy_configuration(settings: Settings, folder: str) -> None:
    suites = shutil.ignore_patterns("expectations")
    shutil.copytree(settings.checkout / "expectations", folder, ignore=suites, dirs_exist_ok=True)


def _show_span(spark: SparkSession, span: Span) -> None:
    told = [(span.begin, span.end or datetime.now(UTC))]
    spark.createDataFrame(told, "begins_at timestamp, ends_at timestamp").createOrReplaceTempView(SPAN_VIEW)


def _line(result: Any, table: DataFrame) -> str:
    told = result.expectation_config
    column = told.kwargs.get("column", "")
    raised = [info["exception_message"] for info in _exceptions(result.exception_info)]
    count = result.result.get("unexpected_count", result.result.get("observed_value"))
    found = "" if count is None else f" Found: {count}."
    examples = _examples(told.kwargs[QUERY], table) if QUERY in told.kwargs and not raised else ""
    return " It raised ".join([f"FAILED {told.type}({column}): {told.description}{found}{examples}", *raised])


def _exceptions(info: dict[str, Any]) -> list[dict[str, Any]]:
    """What an expectation raised; the library tells it flat or by metric."""
    told = [info] if "raised_exception" in info else list(info.values())
    return [one for one in told if one["raised_exception"]]


def _examples(query: str, table: DataFrame) -> str:
    """Some of the rows that a query found; the library keeps only how many there are."""
    table.createOrReplaceTempView("checked")
    found = table.sparkSession.sql(query.format(batch="checked")).select(F.to_json(F.struct("*")))
    return f" Such as {', '.join(row[0] for row in found.limit(_EXAMPLES).collect())}"
