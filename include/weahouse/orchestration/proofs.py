"""Proofs as tasks: what Cassandra serves before one, its verdict, and the way to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.apache.cassandra.hooks.cassandra import CassandraHook
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from weahouse.orchestration.page_links import PROOFS_URL, ProofLink
from weahouse.orchestration.spark_app import SparkAppOperator
from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION, SUMMARIES_BY_STATION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

# What a proof compares, with the same partitions.
_SERVED = (OBSERVATIONS_BY_STATION, SUMMARIES_BY_STATION)


class CountServedOperator(BaseOperator):
    """Asks Cassandra through `cassandra_default` how many partitions it serves of what a proof compares.

    A partition is a station's day. Returns their number by table. Raises AirflowFailException where a table has none:
    nothing can be proved of it, and no JVM need be started to find out.
    """

    def __init__(self, *, cassandra_conn_id: str = CassandraHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cassandra_conn_id = cassandra_conn_id

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002
        """Count; what the driver raises while Cassandra does not answer is tried again."""
        served = self.count()
        self.log.info("partitions that Cassandra serves: %s", served)
        if empty := [table for table, partitions in served.items() if not partitions]:
            raise AirflowFailException(f"Cassandra serves nothing of {' and '.join(empty)}: see `weahouse doctor`")
        return served

    def count(self) -> dict[str, int]:
        """The number of partitions by table."""
        hook = CassandraHook(self.cassandra_conn_id)
        try:
            session = hook.get_conn()
            keys = {table.name: ", ".join(table.partition_key) for table in _SERVED}
            # The driver fetches page by page; a count in Cassandra would be one request with one deadline.
            return {
                name: sum(1 for _ in session.execute(f"SELECT DISTINCT {key} FROM {name}"))
                for name, key in keys.items()
            }
        finally:
            hook.shutdown_cluster()


class ReconcileOperator(SparkAppOperator):
    """Proves a range of append times with `reconcile_offsets`, and keeps what was found, with a page.

    What differs fails the task at once; where there is no verdict it is tried again.
    """

    operator_extra_links = (ProofLink(),)

    def __init__(self, *, arguments: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(app="reconcile_offsets", arguments={**arguments, "record": "true"}, **kwargs)
        self.page: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:  # type: ignore[override]
        """Submit, wait and judge; raises AirflowFailException for a verdict, AirflowException where there is none."""
        answer = super().execute(context)
        self.page = answer["page"]
        return answer

    def verdict(self, answer: dict[str, Any]) -> str | None:
        """What differs, or that nothing was compared; None where the application has ended badly after its answer."""
        if "error" in answer:
            return str(answer["error"])
        self.page = answer["page"]
        if not answer["is_faulty"]:
            return None
        return f"{answer['verdict']}: the line above has examples, and so has {PROOFS_URL}{self.page}"
