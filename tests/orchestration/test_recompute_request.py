from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from weahouse.orchestration.backfill_kinds import RECOMPUTE
from weahouse.orchestration.recompute_request import RecomputeRequest
from weahouse.orchestration.requests import RequestError
from weahouse.qc.rules import DEFAULT_RULES, load_rules

NOW = datetime(2024, 5, 3, tzinfo=UTC)
DEFAULTS: dict[str, Any] = {
    "start": "2024-05-01T00:00:00Z",
    "end": "2024-05-02T00:00:00Z",
    "zones": ["curated", "gold"],
    "rules_file": None,
    "stations": None,
    "dry_run": False,
    "reason": "a test",
}


def asked(**params: Any) -> RecomputeRequest:
    return RecomputeRequest.of({**DEFAULTS, **params}, NOW)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-05-{text}:00Z")


def unit(ingest_hour: str, earliest: str | None, latest: str | None, *touched: str) -> dict[str, Any]:
    times = {"earliest_observed_at": earliest and at(earliest), "latest_observed_at": latest and at(latest)}
    return {"ingest_hour": ingest_hour, "records": 100, "touched_hours": [at(hour) for hour in touched], **times}


UNITS = [
    unit("2024-05-02T01", "01T23:30", "02T00:30", "01T23:00", "02T00:00"),
    unit("2024-05-01T01", "01T00:00", "01T00:59", "01T00:00", "01T14:00"),
    unit("2024-05-02T00", "01T22:00", "01T23:59", "01T22:00", "01T23:00"),
    unit("2024-05-02T02", "02T00:00", "02T01:00", "02T00:00"),
    unit("2024-04-30T23", "01T00:00", "01T00:10", "01T00:00"),
    unit("2024-05-02T03", None, None),
]


def test_every_parameter_of_the_form_is_read():
    assert RECOMPUTE.asks.keys() == DEFAULTS.keys()
    request = asked(start="2024-05-01T02:00:00+02:00", zones=["gold", "curated"], stations=["b", "a", "b"])
    assert request.start == at("01T00:00")
    assert (request.zones, request.stations) == (("curated", "gold"), ("a", "b"))
    assert request.rules_version == load_rules(DEFAULT_RULES).version


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"start": None}, "start '' is no time with a zone"),
        ({"start": "2024-05-01T00:00:00"}, "start '2024-05-01T00:00:00' is no time with a zone"),
        ({"end": "yesterday"}, "end 'yesterday' is no time with a zone"),
        ({"end": "2024-05-01T00:00:00Z"}, "end 2024-05-01T00:00:00Z must lie after start"),
        ({"start": "2013-05-01T00:00:00Z"}, "4019 days: at most 3653, ten years, are allowed"),
        ({"start": "2024-05-03T00:00:01Z", "end": "2024-05-04T00:00:00Z"}, "lies in the future"),
        ({"zones": []}, "zones is empty: name one or both of curated, gold"),
        ({"zones": ["curated", "raw"]}, "zones has 'raw'"),
        ({"zones": "gold; DROP TABLE x"}, "zones has 'gold; DROP TABLE x'"),
        ({"stations": ["a'; DROP TABLE x"]}, "stations has"),
        ({"stations": [7]}, "stations has 7"),
        ({"stations": "a"}, "stations is 'a': give a list"),
        ({"rules_file": "rules.yaml"}, "no absolute path"),
        ({"rules_file": "/etc/\0passwd"}, "no absolute path"),
        ({"rules_file": "/nowhere/rules.yaml"}, "no file that this worker can read"),
        ({"rules_file": __file__}, "rules_file: "),
        ({"dry_run": "no"}, "dry_run is 'no': write true or false"),
        ({"reason": " "}, "reason is empty"),
        ({"region": "us-ca"}, "unknown parameters region: a recompute knows start, end"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(params: dict[str, Any], told: str):
    with pytest.raises(RequestError, match=told):
        asked(**params)


def test_a_plan_holds_the_units_whose_readings_lie_in_the_range_and_only_these():
    plan = asked().plan(UNITS, [])
    assert plan["units"] == ["2024-04-30T23", "2024-05-01T01", "2024-05-02T00..2024-05-02T01"]
    # Of the hours that the units touched those within the range.
    assert (plan["records"], plan["hours"]) == (400, 4)
    assert (plan["start"], plan["end"]) == ("2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z")


def test_hours_of_raw_that_nobody_has_curated_are_told():
    raw_hours = ["2024-04-30T21", "2024-05-01T01", "2024-05-01T05", "2024-05-02T09"]
    assert asked().plan(UNITS, raw_hours)["not_curated"] == 2


def test_the_same_range_under_the_same_rules_is_the_same_run(tmp_path: Path):
    other = tmp_path / "rules.yaml"
    other.write_text(DEFAULT_RULES.read_text() + "\n# Another version.\n")
    runs = [
        asked(**params).plan(UNITS, [])["run_id"]
        for params in ({}, {"reason": "another", "dry_run": True}, {"rules_file": str(other)}, {"zones": ["curated"]})
    ]
    assert runs[0] == runs[1]
    assert len(set(runs)) == 3


def test_a_range_that_no_unit_holds_is_refused():
    with pytest.raises(RequestError, match="no curated unit holds a reading"):
        asked(start="2024-04-01T00:00:00Z", end="2024-04-02T00:00:00Z").plan(UNITS, [])
