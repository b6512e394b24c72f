"""The plan of a recompute as a task."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from weahouse.io.hdfs import Hdfs
from weahouse.io.small_tables import read_rows
from weahouse.orchestration.operators import reject_unknown_conf
from weahouse.orchestration.recompute_request import RecomputeRequest, RecomputeRequestError
from weahouse.schemas.datasets import CURATED_INGEST_UNITS, RAW_OBSERVATIONS
from weahouse.schemas.render import path
from weahouse.settings import settings

if TYPE_CHECKING:
    from airflow.sdk import Context


class PlanRecomputeOperator(BaseOperator):
    """Checks what a recompute's run asks for, and plans it: units that hold the range, records, hours, how long.

    Returns the plan, which its log shows too. Raises AirflowFailException for a request that cannot be meant.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask the ledger of curation; raises LakeError or OSError, and is retried, while HDFS does not answer."""
        reject_unknown_conf(context)
        instance = settings()
        try:
            request = RecomputeRequest.of(context["params"], datetime.now(UTC))
            folders = Hdfs(instance).list(path(RAW_OBSERVATIONS, instance.hdfs_root))
            raw_hours = [name.partition("ingest_hour=")[2] for name in folders if name.startswith("ingest_hour=")]
            plan = request.plan(read_rows(instance, CURATED_INGEST_UNITS), raw_hours)
        except RecomputeRequestError as error:
            raise AirflowFailException(str(error)) from None
        self.log.info("plan: %s", json.dumps(plan, indent=2))
        if plan["not_curated"]:
            self.log.warning("what %d hours not curated yet hold of the range stays as it is", plan["not_curated"])
        return plan
