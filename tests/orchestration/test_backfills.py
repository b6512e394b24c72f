"""Whether there is anything to prove after a backfill, by what its application answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.exceptions import AirflowSkipException

from weahouse.orchestration import backfills
from weahouse.orchestration.backfill_kinds import RECOMPUTE
from weahouse.orchestration.backfills import ProveBackfillOperator, has_changed

ENDED_AT = datetime(2024, 5, 2, 9, tzinfo=UTC)
# As JSON has the times of a row of the ledger.
ANSWER: dict[str, Any] = {
    "inserted": 0,
    "updated": 7,
    "unchanged": 3,
    "appended_from": "2024-05-01 12:00:00+00:00",
    "appended_to": "2024-05-01 13:00:01+00:00",
    "ended_at": str(ENDED_AT),
}
SPAN = {
    "appended_from": datetime(2024, 5, 1, 12, tzinfo=UTC),
    "appended_to": datetime(2024, 5, 1, 13, 0, 1, tzinfo=UTC),
}


class Ti:
    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    def xcom_pull(self, task_ids: str) -> dict[str, Any]:
        assert task_ids == RECOMPUTE.work_task
        return self.answer


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The rows of `gold.reconciliation`; Airflow triggers nothing, for a test has no run."""
    rows: list[dict[str, Any]] = []
    monkeypatch.setattr(backfills, "read_rows", lambda *_: rows)
    monkeypatch.setattr(TriggerDagRunOperator, "execute", lambda *_: None)
    return rows


def prove(answer: dict[str, Any]) -> ProveBackfillOperator:
    operator = ProveBackfillOperator(task_id="prove", kind=RECOMPUTE)
    operator.execute({"ti": Ti(answer)})
    return operator


@pytest.mark.parametrize(
    ("answer", "changed"),
    [
        ({"inserted": 0, "updated": 0, "unchanged": 9, "replayed": 9}, False),
        ({"inserted": 1, "updated": 0}, True),
        ({"inserted": 0, "updated": 0, "verdicts_changed": 2}, True),
        ({"inserted": 0, "updated": 0, "daily_summaries_written": 1, "daily_summaries_unchanged": 4}, True),
        ({"inserted": 0, "updated": 0, "hourly_summaries_written": 0, "hourly_summaries_version": 8}, False),
    ],
)
def test_what_has_changed_is_told_by_the_counts(answer: dict[str, Any], changed: bool):
    assert has_changed(answer) is changed


def test_the_append_times_that_were_read_are_proved(proofs: list[dict[str, Any]]):
    # Of another range, and from before the backfill ended.
    proofs += [SPAN | {"appended_to": ENDED_AT, "reconciled_at": ENDED_AT}]
    proofs += [SPAN | {"reconciled_at": ENDED_AT - timedelta(minutes=1)}]
    found = prove(ANSWER)
    assert found.trigger_dag_id == "reconciliation"
    assert found.conf == {"from": "2024-05-01T12:00:00+00:00", "to": "2024-05-01T13:00:01+00:00"}


def test_nothing_is_proved_where_nothing_was_changed_or_it_was_since(proofs: list[dict[str, Any]]):
    with pytest.raises(AirflowSkipException, match="nothing was changed"):
        prove(ANSWER | {"updated": 0})
    proofs.append(SPAN | {"reconciled_at": ENDED_AT + timedelta(minutes=1)})
    with pytest.raises(AirflowSkipException, match="was proved since"):
        prove(ANSWER)
