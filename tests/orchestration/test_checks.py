from __future__ import annotations

import json
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from weahouse.orchestration import checks
from weahouse.orchestration.assets import asset_of
from weahouse.orchestration.checks import ValidateDatasetOperator
from weahouse.orchestration.page_links import DataDocsLink
from weahouse.schemas.datasets import CURATED_OBSERVATIONS

ANSWER = {"dataset": "curated.observations", "version": 7, "expectations": 90, "failed": 0, "data_docs": "v/page.html"}


def operator(**kwargs: Any) -> ValidateDatasetOperator:
    return ValidateDatasetOperator(task_id="validate", dataset=CURATED_OBSERVATIONS, **kwargs)


def test_a_pass_publishes_the_version_that_was_checked_and_what_the_producer_says(ended: Any) -> None:
    ended(json.dumps(ANSWER))
    outlet = asset_of(CURATED_OBSERVATIONS)
    events: Any = defaultdict(SimpleNamespace)
    check = operator(outlets=[outlet], about={"ingest_hour": "2024-05-01T13"})
    assert check.execute({"outlet_events": events}) == ANSWER
    assert events[outlet].extra == {"ingest_hour": "2024-05-01T13", **ANSWER}


def test_a_failed_expectation_fails_at_once_and_leads_to_its_page(ended: Any) -> None:
    ended("FAILED one", json.dumps({**ANSWER, "failed": 2}), "WARN a word of Spark's", error=True)
    check = operator()
    with pytest.raises(AirflowFailException, match="version 7: 2 of 90 expectations are not met"):
        check.execute({})
    assert DataDocsLink().get_link(check, ti_key=None) == "/quality/v/page.html"


@pytest.mark.parametrize("lines", [[], ["Traceback", '{"failed": 0}']])
def test_a_crash_is_no_verdict_and_is_tried_again(ended: Any, lines: list[str]) -> None:
    ended(*lines, error=True)
    check = operator()
    with pytest.raises(AirflowException, match="exit code") as raised:
        check.execute({})
    assert not isinstance(raised.value, AirflowFailException)
    assert DataDocsLink().get_link(check, ti_key=None) == ""


def test_an_application_without_an_answer_does_not_pass(ended: Any) -> None:
    ended("all is well")
    with pytest.raises(AirflowException, match="ended without an answer"):
        operator().execute({})


def test_a_run_for_another_table_skips_this_one() -> None:
    with pytest.raises(AirflowSkipException, match=r"this run is for raw\.observations"):
        operator(only="raw.observations").execute({})


def test_a_table_that_does_not_exist_is_skipped_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(checks.WebHDFSHook, "check_for_path", lambda self, path: bool(asked.append(path)))
    with pytest.raises(AirflowSkipException, match="does not exist yet"):
        operator(skip_missing=True).execute({})
    assert asked == ["/weahouse/curated/observations/_delta_log"]


def test_it_names_its_table_and_its_rows_to_the_application() -> None:
    check = operator(arguments={"ingest-hour": "2024-05-01T13", "version": "7"})
    assert check.arguments == {"dataset": "curated.observations", "ingest-hour": "2024-05-01T13", "version": "7"}
