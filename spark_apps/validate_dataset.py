"""Checks a Delta table against its suite under expectations/.

Prints one line for each expectation that was not met; the Data Docs of every run are in <home>/quality.
Exit code 1 when there was one, 2 when the table cannot be read.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from weahouse.schemas.datasets import DATASETS
from weahouse.schemas.render import path
from weahouse.settings import settings

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

    from weahouse.settings import Settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=sorted(dataset.name for dataset in DATASETS))
    parser.add_argument("--uri", help="the table's place, where it is not the instance's own")
    asked = parser.parse_args()
    logging.getLogger("great_expectations").setLevel(logging.WARNING)

    spark = SparkSession.builder.appName("validate_dataset").getOrCreate()
    uri = asked.uri or _uri(settings(), asked.dataset)
    try:
        # The library asks some seventy small questions of a cached copy: a task a file would make each of them slow.
        table = spark.read.format("delta").load(uri).coalesce(spark.sparkContext.defaultParallelism)
    except AnalysisException as error:
        print(f"{asked.dataset} cannot be read at {uri}: {error.getCondition()}")
        return 2
    failed = failures(table, asked.dataset, settings())
    print("\n".join(failed) if failed else f"{asked.dataset} meets every expectation")
    spark.stop()
    return int(bool(failed))


def failures(table: DataFrame, dataset: str, settings: Settings) -> list[str]:
    """One line for each expectation of the dataset's suite that the table does not meet."""
    # Great Expectations would report its use to its makers, and wait for them where there is no way out.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    context = gx.get_context(mode="file", context_root_dir=_working_copy(settings))
    run = context.checkpoints.get(dataset).run(batch_parameters={"dataframe": table})
    results = [result for validated in run.run_results.values() for result in validated.results]
    return [_line(result) for result in results if not result.success]


def _working_copy(settings: Settings) -> Path:
    """The suites in a folder of the instance, where the library may write what it likes."""
    copy = settings.home / "quality"
    shutil.copytree(settings.checkout / "expectations", copy, dirs_exist_ok=True)
    return copy


def _uri(settings: Settings, name: str) -> str:
    dataset = next(dataset for dataset in DATASETS if dataset.name == name)
    return settings.hdfs + path(dataset, settings.hdfs_root)


def _line(result: Any) -> str:
    told = result.expectation_config
    column = told.kwargs.get("column", "")
    count = result.result.get("unexpected_count")
    rows = "" if count is None else f" {count} rows differ."
    raised = [info["exception_message"] for info in _exceptions(result.exception_info)]
    return " It raised ".join([f"FAILED {told.type}({column}): {told.description}{rows}", *raised])


def _exceptions(info: dict[str, Any]) -> list[dict[str, Any]]:
    """What an expectation raised; the library tells it flat or by metric."""
    told = [info] if "raised_exception" in info else list(info.values())
    return [one for one in told if one["raised_exception"]]


if __name__ == "__main__":
    sys.exit(main())
