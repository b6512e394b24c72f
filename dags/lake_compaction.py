"""
# Lake compaction

Rewrites the many small files of closed partitions as few that are sorted for their readers: Raw and the quarantine by
offset, Curated by station and time. Then deletes the files that no version of the last week names. No row changes.

**Runs** daily at 03:30 UTC, and by hand, which is a dry run unless `dry_run` is switched off. Only where it pays: where
at most an eighth of the files is left. The log has files and bytes of each partition, before and after.

**Beside the stream**: it may run at any time. Hours and days that are being filled are left alone. Where the stream
corrects a reading of a partition that is being rewritten, Delta refuses one of the two: the stream merges its batch
again, or the partition waits for the next run.

**Undo and time travel** reach back for the seven days for which deleted files are kept.

**Publishes** the asset `lake.files` with the files of each table on HDFS before and after, and what was compacted.
Files that were put aside stay on HDFS for the seven days.

**Idempotent**: what is compact is left alone. **Concurrency**: one run at a time, in the one slot of the pool `spark`.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from weahouse.orchestration.assets import lake_files
from weahouse.orchestration.defaults import DEFAULT_ARGS, FIRST_HOUR, Tag
from weahouse.orchestration.lake_files import CountFilesOperator
from weahouse.orchestration.operators import CheckParamsOperator
from weahouse.orchestration.spark_app import SparkAppOperator
from weahouse.schemas.datasets import COMPACTED


@dag(
    schedule="30 3 * * *",
    start_date=FIRST_HOUR,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.LAKE],
    doc_md=__doc__,
    params={
        "dry_run": Param(
            True,
            type="boolean",
            title="Dry run",
            description="Only tell what would be compacted. A scheduled run compacts.",
        ),
        "dataset": Param(
            None,
            type=["null", "string"],
            enum=[None, *[dataset.name for dataset in COMPACTED]],
            title="Table",
            description="One table; empty: all.",
        ),
    },
)
def lake_compaction() -> None:
    check = CheckParamsOperator(task_id="check_params")
    before = CountFilesOperator(task_id="count_files_before", only="{{ params.dataset or '' }}")
    compact = SparkAppOperator(
        task_id="compact_lake",
        app="compact_lake",
        arguments={
            "dataset": "{{ params.dataset or '' }}",
            "dry-run": "{{ (params.dry_run and dag_run.run_type == 'manual') | lower }}",
        },
    )
    after = CountFilesOperator(
        task_id="count_files_after",
        only="{{ params.dataset or '' }}",
        before=before.task_id,
        compaction=compact.task_id,
        outlets=[lake_files()],
    )
    check >> before >> compact >> after


lake_compaction()
