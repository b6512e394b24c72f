"""
# Reconciliation

Proves that nothing is lost and nothing counted twice: each Kafka offset of a range of append times has exactly one
disposition (`curated`, `duplicate`, `superseded` or `quarantined`), Cassandra equals Curated for as long as it keeps
rows, the 10-minute panes equal what Curated makes of their windows, the verdicts of levels 2 and 3 are served, and the
hours and days of Gold that the range's curated units have touched equal what Curated and its verdicts make of them, to
the last bit. What was found is a row of `gold.reconciliation`, and a page, which the button *Proof* of the task opens.

**Runs** daily at 04:00 UTC for the day before, and for what lies before it since the first curated unit that no proof
has looked at, as after nights that were slept through; after each backfill that has changed anything, for the append
times that it has read; and by hand for any range. It waits until every query of the stream has committed the range.

**Fails** when anything differs, or when nothing was compared; log, row and page name ten faults of each kind. What to
do: docs/runbooks/reconciliation_failed.md. A day on which nothing was appended is skipped. A unit of which Gold is not
made yet is no fault, but told.

**Idempotent**: it writes nothing but its row, which a second run of the range replaces, and a page, of which 100 are
kept. **Concurrency**: one run at a time, in the one slot of the pool `spark`; the stream goes on, for only what is
committed is compared, and neither verdicts nor Gold are made meanwhile.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag

from weahouse.orchestration.defaults import DEFAULT_ARGS, FIRST_HOUR, Tag
from weahouse.orchestration.operators import PlanProofOperator
from weahouse.orchestration.proofs import CountServedOperator, ReconcileOperator
from weahouse.orchestration.sensors import CommittedOffsetsSensor


@dag(
    schedule="0 4 * * *",
    start_date=FIRST_HOUR,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.QUALITY],
    doc_md=__doc__,
    render_template_as_native_obj=True,
    params={
        "from": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Appended from",
            description="First append time, with a zone. Empty, like the other: the day before the present one.",
        ),
        "to": Param(
            None, type=["null", "string"], format="date-time", title="Appended to", description="Its end, exclusive."
        ),
    },
)
def reconciliation() -> None:
    plan = PlanProofOperator(task_id="choose_range")
    commits = CommittedOffsetsSensor(
        task_id="await_commits", unit="{{ ti.xcom_pull('choose_range') }}", wait_for=timedelta(minutes=30)
    )
    served = CountServedOperator(task_id="count_served")
    reconcile = ReconcileOperator(
        task_id="reconcile_offsets",
        arguments={
            "from": "{{ ti.xcom_pull('choose_range')['from'] }}",
            "to": "{{ ti.xcom_pull('choose_range')['to'] }}",
        },
    )
    plan >> commits >> served >> reconcile


reconciliation()
