"""What a table is checked against, its schema and its committed rules, over which rows, and what is answered."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from delta.tables import DeltaTable

from weahouse.batch.checks import QUERY, check
from weahouse.batch.span import span_of
from weahouse.io.data_docs import Answer, keep_answer
from weahouse.io.delta import read_table, table_path, version_of
from weahouse.schemas.datasets import DATASETS
from weahouse.schemas.expectations import Expectation, expectations_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.batch.span import Span
    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

# An application's exit code where a table could not be judged: Python's own for a traceback says that one is bad.
NO_VERDICT = 2


def validate(
    spark: SparkSession, settings: Settings, dataset: Dataset, span: Span, version: int | None = None
) -> tuple[Answer, list[str]]:
    """Check a table's rows of a span, at a version or the newest one, and keep the answer beside its page.

    Returns dataset, version, rows, expectations, failed, data_docs (the page, below the site), checked_at; and a line
    for each expectation that was not met. Raises what Spark and Great Expectations raise where there is no verdict.
    """
    version = version_of(spark, settings, dataset) if version is None else version
    table = read_table(spark, settings, dataset, version).where(span.within(dataset))
    expectations = expectations_of(dataset) + rules_of(settings, dataset, span)
    for other in others(expectations):
        show(read_table(spark, settings, other).where(span.within(other)), other)
    # The library asks many small questions of a cached copy: a task a file would make each of them slow.
    kept = table.coalesce(spark.sparkContext.defaultParallelism).persist()
    try:
        rows = kept.count()
        verdict = check(kept, dataset, expectations, span, settings)
    finally:
        kept.unpersist()
    answer = {
        "dataset": dataset.name,
        "version": version,
        "rows": rows,
        "expectations": verdict.expectations,
        "failed": len(verdict.failures),
        "data_docs": verdict.page,
        "checked_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    keep_answer(settings, dataset, verdict.run, answer)
    return answer, verdict.failures


def validate_each(
    spark: SparkSession, settings: Settings, datasets: Sequence[Dataset], begin: datetime | None, end: datetime | None
) -> Iterator[tuple[Dataset, Answer | None, list[str]]]:
    """Check those of some tables that exist, one after the other, each over a span of its own time.

    Yields what `validate` returns; None and the traceback where a table has no verdict, which keeps no other from its.
    """
    for dataset in datasets:
        if not DeltaTable.isDeltaTable(spark, table_path(settings, dataset)):
            continue
        try:
            answer, lines = validate(spark, settings, dataset, span_of(dataset, begin, end))
        except Exception:
            yield dataset, None, [traceback.format_exc()]
        else:
            yield dataset, answer, lines


def rules_of(settings: Settings, dataset: Dataset, span: Span) -> list[Expectation]:
    """The committed rules of a table; none where it has no suite.

    A rule that speaks of many hours says of how many (`meta.least_hours`); where fewer are checked it is left out.
    """
    file = settings.checkout / "expectations" / "expectations" / dataset.zone / f"{dataset.table}.json"
    if not file.exists():
        return []
    rules: list[Expectation] = json.loads(file.read_text())["expectations"]
    return [_on_one_line(rule) for rule in rules if rule.get("meta", {}).get("least_hours", 0) <= span.hours]


def others(expectations: list[Expectation]) -> list[Dataset]:
    """The tables that the rules' queries read beside the one that is checked, as `zone_table`."""
    queries = " ".join(rule["kwargs"].get(QUERY, "") for rule in expectations)
    return [dataset for dataset in DATASETS if _view(dataset) in queries]


def show(rows: DataFrame, dataset: Dataset) -> None:
    """Let rules' queries read these rows as `zone_table`."""
    rows.createOrReplaceTempView(_view(dataset))


def _view(dataset: Dataset) -> str:
    return dataset.name.replace(".", "_")


def _on_one_line(rule: Expectation) -> Expectation:
    """A rule whose query is written in lines, as the library takes it."""
    query = rule["kwargs"].get(QUERY)
    return rule if query is None else {**rule, "kwargs": {**rule["kwargs"], QUERY: "\n".join(query)}}
