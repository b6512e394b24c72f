"""
# Stream supervision

Keeps the streaming application running: starts its driver, or adopts the one that lives, and watches it.

**Runs** without end, one run after another, each for 45 minutes. The driver is detached: it is no child of a task,
and it goes on when a task, a run or all of Airflow ends. The next run adopts it.

**Restarts** a driver that is gone, that beats no more for a minute, or that ends no batch for five minutes while
records wait. The first restart is immediate; in a row they wait 5, 10, 20, … 300 s. The reason stands in the log of
`watch_stream` and in the run's note. A driver that says it waits for a server is left alone. So is one that refused to
go on (topic created again, offsets expired, checkpoint damaged): `weahouse stream rebuild` is the way out.

**Stops** with the parameter `stop`, as with `weahouse stream stop`: after the current batch. A stopped stream stays
stopped until `weahouse stream start`; meanwhile the watch waits.

**Pausing** this Dag ends supervision, not the stream; `weahouse status` then says `unsupervised`.

**Idempotent**: starting is adopting where a driver lives. **Concurrency**: one run at a time, and a file lock around
each start; two drivers on one checkpoint are further excluded by the epoch that each driver takes on HDFS.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Param, dag

from weahouse.orchestration.defaults import DEFAULT_ARGS, Tag
from weahouse.orchestration.operators import StartStreamOperator
from weahouse.orchestration.sensors import StreamHealthSensor


@dag(
    schedule="@continuous",
    # Without it the first run's interval is empty, the second would have the same logical date, and never starts.
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    catchup=False,
    default_args=DEFAULT_ARGS,
    tags=[Tag.STREAM, Tag.SUPERVISION],
    doc_md=__doc__,
    render_template_as_native_obj=True,
    params={
        "stop": Param(
            False,
            type="boolean",
            title="Stop the stream",
            description="End the stream after its current batch; it stays stopped until `weahouse stream start`.",
        )
    },
)
def stream_supervision() -> None:
    start = StartStreamOperator(task_id="start_stream", stop="{{ params.stop }}")
    watch = StreamHealthSensor(task_id="watch_stream", watch_for=timedelta(minutes=45))
    start >> watch


stream_supervision()
