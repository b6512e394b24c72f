from __future__ import annotations

import json
import re
from collections import defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from weahouse.orchestration.assets import asset_of
from weahouse.orchestration.checks import ValidateDatasetOperator, ValidateZoneOperator
from weahouse.orchestration.page_links import DataDocsLink
from weahouse.schemas.datasets import CURATED_OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def test_it_names_its_table_and_its_rows_to_the_application() -> None:
    check = operator(arguments={"ingest-hour": "2024-05-01T13", "version": "7"})
    assert check.arguments == {"dataset": "curated.observations", "ingest-hour": "2024-05-01T13", "version": "7"}


def zone_check(dataset: str = "") -> ValidateZoneOperator:
    return ValidateZoneOperator(task_id="validate_curated", zone="curated", arguments={"dataset": dataset})


def of_zone(*tables: dict[str, Any], no_verdict: Sequence[str] = ()) -> str:
    return json.dumps({"zone": "curated", "tables": tables, "no_verdict": no_verdict})


BAD = {**ANSWER, "failed": 2}


def test_a_zone_that_passes_leads_to_the_list_of_pages(ended: Any) -> None:
    ended(of_zone(ANSWER))
    check = zone_check()
    assert check.execute({})["tables"] == [ANSWER]
    assert DataDocsLink().get_link(check, ti_key=None) == "/quality/"


@pytest.mark.parametrize(
    ("failed", "said", "page"),
    [
        ([BAD], "curated.observations version 7: 2 of 90 expectations are not met", "/quality/v/page.html"),
        ([BAD, {**BAD, "dataset": "curated.gaps"}], "not met; curated.gaps version 7: 2 of 90", "/quality/"),
    ],
)
def test_a_zone_fails_at_once_by_the_tables_that_do_not_pass(
    ended: Any, failed: list[dict[str, Any]], said: str, page: str
) -> None:
    ended("FAILED one", of_zone(ANSWER, *failed), error=True)
    check = zone_check()
    with pytest.raises(AirflowFailException, match=re.escape(said)):
        check.execute({})
    assert DataDocsLink().get_link(check, ti_key=None) == page


def test_a_zone_of_which_a_table_has_no_verdict_is_tried_again(ended: Any) -> None:
    ended("Traceback", of_zone(BAD, no_verdict=["curated.gaps"]), error=True)
    with pytest.raises(AirflowException, match="exit code") as raised:
        zone_check().execute({})
    assert not isinstance(raised.value, AirflowFailException)


def test_a_run_for_a_table_of_another_zone_skips_this_one() -> None:
    with pytest.raises(AirflowSkipException, match=r"this run is for raw\.observations"):
        zone_check("raw.observations").execute({})


@pytest.mark.parametrize(("dataset", "what"), [("curated.gaps", "curated.gaps"), ("", "a table of curated")])
def test_a_zone_of_which_nothing_exists_is_skipped(ended: Any, dataset: str, what: str) -> None:
    ended(of_zone())
    with pytest.raises(AirflowSkipException, match=f"^{what} does not exist yet"):
        zone_check(dataset).execute({})
