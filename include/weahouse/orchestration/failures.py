"""What is told of a task that has failed for good: one line, with the way out."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from weahouse.settings import settings

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import Context

    from weahouse.settings import Settings

log = logging.getLogger(__name__)

# By how `dag.task` begins: the page below docs/runbooks/ that says what to do. The first that fits counts.
RUNBOOKS = {
    "observation_curation.curate_observations": "parity_violated",
    "observation_curation.validate_": "check_failed",
    "data_quality.": "check_failed",
    "reconciliation.": "reconciliation_failed",
    "stream_supervision.": "stream_failed",
    "": "dag_failed",
}
# A cause may hold the whole log of an application; its end is in the task's log.
_LONGEST_CAUSE = 400


def failures_log(instance: Settings) -> Path:
    """Where the lines of all failed tasks stand together, newest last."""
    return instance.home / "logs" / "failures.log"


def tell(context: Context) -> None:
    """Write the line into the task's own log and into that of all failures; the callback of every task."""
    line = line_of(context)
    log.error(line)
    file = failures_log(settings())
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")


def line_of(context: Context) -> str:
    """Dag, task, partition (or the run, where it has none), cause and runbook."""
    task, run, error = context["ti"], context["dag_run"], context.get("exception")
    name = f"{task.dag_id}.{task.task_id}"
    about = f"partition {run.partition_key}" if run.partition_key else f"run {run.run_id}"
    # Whatever lines a cause has, the line is one.
    cause = " ".join(f"{type(error).__name__}: {error}".split()) if error else "no cause was told"
    page = next(page for beginning, page in RUNBOOKS.items() if name.startswith(beginning))
    return f"{name} failed, {about}: {cause[:_LONGEST_CAUSE]} (docs/runbooks/{page}.md)"
