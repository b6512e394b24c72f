from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from weahouse.orchestration.page_links import ProofLink
from weahouse.orchestration.proofs import ReconcileOperator

ANSWER = {"offsets": 9, "page": "then.html", "verdict": "Nothing differs", "is_faulty": False}
FAULT = {**ANSWER, "verdict": "1 differing gold", "is_faulty": True}


def operator() -> ReconcileOperator:
    return ReconcileOperator(task_id="reconcile", arguments={"from": "a", "to": "b"})


def test_a_proof_is_kept_and_leads_to_its_page(ended: Any) -> None:
    ended(json.dumps(ANSWER))
    proof = operator()
    assert proof.arguments == {"from": "a", "to": "b", "record": "true"}
    assert proof.execute({}) == ANSWER
    assert ProofLink().get_link(proof, ti_key=None) == "/proofs/then.html"


def test_what_differs_fails_at_once_and_leads_to_its_page(ended: Any) -> None:
    ended(json.dumps(FAULT), "WARN a word of Spark's", error=True)
    proof = operator()
    with pytest.raises(AirflowFailException, match=r"1 differing gold: .* /proofs/then\.html"):
        proof.execute({})
    assert ProofLink().get_link(proof, ti_key=None) == "/proofs/then.html"


def test_a_range_without_records_fails_at_once_and_has_no_page(ended: Any) -> None:
    ended(json.dumps({"error": "no record of Raw lies in the asked range"}), error=True)
    proof = operator()
    with pytest.raises(AirflowFailException, match="no record of Raw"):
        proof.execute({})
    assert ProofLink().get_link(proof, ti_key=None) == ""


@pytest.mark.parametrize("lines", [[], [json.dumps(ANSWER)]])
def test_a_crash_is_no_verdict_and_is_tried_again(ended: Any, lines: list[str]) -> None:
    ended(*lines, error=True)
    with pytest.raises(AirflowException, match="exit code") as raised:
        operator().execute({})
    assert not isinstance(raised.value, AirflowFailException)
