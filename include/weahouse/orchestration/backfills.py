"""Operators of the backfills: their forms, plans, the question before they change anything, the proof after it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import BaseOperator, Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from weahouse.io.hdfs import Hdfs
from weahouse.io.small_tables import read_rows
from weahouse.orchestration.backfill_kinds import AUTO, KAFKA
from weahouse.orchestration.backfill_pages import page, question
from weahouse.orchestration.operators import ApprovalOperator, reject_unknown_conf
from weahouse.orchestration.proof_range import proofs_since
from weahouse.orchestration.raw_records import held_by_raw
from weahouse.orchestration.recompute_request import RecomputeRequest
from weahouse.orchestration.replay_request import ReplayRequest
from weahouse.orchestration.requests import RequestError
from weahouse.orchestration.topic_offsets import TopicOffsets
from weahouse.schemas.datasets import CURATED_INGEST_UNITS, RAW_OBSERVATIONS
from weahouse.schemas.gold import GOLD_RECONCILIATION
from weahouse.schemas.render import path
from weahouse.settings import settings

if TYPE_CHECKING:
    from airflow.sdk import Context

    from weahouse.orchestration.backfill_kinds import Kind

# Who has approved, for a task behind `approve_plan`; Airflow may know none.
APPROVED_BY = "{{ (ti.xcom_pull('approve_plan')['responded_by_user'] or {}).get('name', '') }}"
_RECONCILIATION = "reconciliation"


def form(kind: Kind) -> dict[str, Param]:
    """The parameters of a kind's Dag: its form in Airflow."""
    return {
        name: Param(
            **({} if asked.is_required else {"default": asked.default}),
            title=asked.title,
            description=asked.description,
            **asked.schema,
        )
        for name, asked in kind.asks.items()
    }


class PlanReplayOperator(BaseOperator):
    """Checks what a replay's run asks for, and plans it: offsets, records, what has expired, how long it may take.

    What has expired from the topic is looked for in Raw. Returns the plan, which its log shows too. Raises
    AirflowFailException for a request that cannot be meant.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask Kafka and Raw; raises KafkaException or LakeError, and is retried, while a server does not answer."""
        reject_unknown_conf(context)
        instance, offsets = settings(), TopicOffsets()
        try:
            request = ReplayRequest.of(context["params"], datetime.now(UTC))
            start, end = (offsets.since(e) if isinstance(e, datetime) else e for e in (request.start, request.end))
            first = offsets.first()
            before = first if request.source == AUTO else None
            raw = {} if request.source == KAFKA else held_by_raw(instance, request.start, request.end, before)
            units = read_rows(instance, CURATED_INGEST_UNITS)
            plan = request.plan(start, end, first, offsets.end(), raw, units)
        except RequestError as error:
            raise AirflowFailException(str(error)) from None
        self.log.info("plan: %s", json.dumps(plan, indent=2))
        if (lost := sum(plan["expired"].values()) - plan["from_raw"]) > 0:
            told = "with source auto, Raw is asked too" if request.source == KAFKA else "Raw does not hold them either"
            self.log.warning("%d records have expired from the topic: %s", lost, told)
        return plan


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
        except RequestError as error:
            raise AirflowFailException(str(error)) from None
        self.log.info("plan: %s", json.dumps(plan, indent=2))
        if plan["not_curated"]:
            self.log.warning("what %d hours not curated yet hold of the range stays as it is", plan["not_curated"])
        return plan


class ApproveBackfillOperator(ApprovalOperator):
    """Asks a person whether a backfill is to be carried out; shows its plan, and the preview where there is one."""

    def __init__(self, *, kind: Kind, **kwargs: Any) -> None:
        super().__init__(subject="", **kwargs)
        self.kind = kind

    def execute(self, context: Context) -> Any:
        """Ask, and wait for the answer without a process."""
        kind, pull = self.kind, context["ti"].xcom_pull
        plan = pull(task_ids=kind.plan_task)
        self.subject = question(kind, plan)
        self.body = page(kind, plan, pull(task_ids=kind.preview_task) if kind.preview_task else None)
        return super().execute(context)


class ProveBackfillOperator(TriggerDagRunOperator):
    """Lets the Dag `reconciliation` prove the append times that a backfill has read; its button opens that run.

    Skipped where the backfill has changed nothing, or these times were proved since it ended.
    """

    def __init__(self, *, kind: Kind, **kwargs: Any) -> None:
        # Without a time of its own, like a run by hand: two may begin at the same one.
        kwargs |= {"trigger_dag_id": _RECONCILIATION, "logical_date": None, "conf": {}}
        # A word more than its parameters, and the proof refuses to run.
        super().__init__(openlineage_inject_parent_info=False, **kwargs)
        self.kind = kind

    def execute(self, context: Context) -> None:
        """Trigger, and not wait; raises LakeError, and is retried, while HDFS does not answer."""
        answer = context["ti"].xcom_pull(task_ids=self.kind.work_task)
        # A row of an earlier release does not tell what was read.
        if not has_changed(answer) or not answer.get("appended_from"):
            raise AirflowSkipException("nothing was changed: there is nothing to prove")
        read = {name: datetime.fromisoformat(answer[name]) for name in ("appended_from", "appended_to", "ended_at")}
        if proofs_since(read, read_rows(settings(), GOLD_RECONCILIATION)):
            raise AirflowSkipException(f"{read['appended_from']} to {read['appended_to']} was proved since")
        self.conf = {"from": read["appended_from"].isoformat(), "to": read["appended_to"].isoformat()}
        super().execute(context)


def has_changed(answer: dict[str, Any]) -> bool:
    """Whether a backfill, by what its application answers, has changed a row of Curated, of the verdicts or of Gold."""
    changed = ("inserted", "updated", "verdicts_changed", "_written", "_removed")
    return any(count for name, count in answer.items() if name.endswith(changed))
