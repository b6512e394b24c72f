from __future__ import annotations

import json
from collections import defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from weahouse.orchestration import checks, spark_app
from weahouse.orchestration.assets import asset_of
from weahouse.orchestration.checks import DataDocsLink, ValidateDatasetOperator
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = {"dataset": "curated.observations", "version": 7, "expectations": 90, "failed": 0, "data_docs": "v/page.html"}


def operator(**kwargs: Any) -> ValidateDatasetOperator:
    return ValidateDatasetOperator(task_id="validate", dataset=CURATED_OBSERVATIONS, **kwargs)


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets an application end with these lines, and with an error or not, where Airflow would have submitted it."""
    monkeypatch.setattr(spark_app, "settings", lambda: Settings(home=tmp_path, cache=tmp_path))

    def let(*lines: str, error: bool = False) -> None:
        def execute(self: ValidateDatasetOperator, context: object) -> None:
            self._hook = SimpleNamespace(_last_submit_log_lines=list(lines))
            if error:
                raise AirflowException("exit code")

        monkeypatch.setattr(SparkSubmitOperator, "execute", execute)

    return let


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
