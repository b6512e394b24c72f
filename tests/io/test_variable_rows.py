"""What readers see of Cassandra's rows: verdicts where they are of what stands there, and nothing else of them."""

from __future__ import annotations

from collections import namedtuple
from datetime import datetime
from typing import Any

import pytest

from weahouse.io.variable_rows import judged, latest_in, panes_in
from weahouse.qc.masks import BAD, GOOD, MISSING, SUSPECT
from weahouse.schemas.datasets import JUDGED_COLUMNS, OBSERVATION_COLUMNS
from weahouse.schemas.fields import VARIABLES, flag_of, latest_of, pane_of
from weahouse.schemas.kinds import UserType
from weahouse.schemas.serving_tables import JUDGED_PANES, JUDGED_VALUES, LATEST_VALUE, PANE, VERDICT

TEMPERATURE, WIND = "air_temperature_c", "wind_speed_mps"
VERSION = 1_714_564_860_000_000
# As they come from Cassandra, without a zone.
NOON, APPENDED = datetime(2024, 5, 1, 12), datetime(2024, 5, 1, 12, 1)  # noqa: DTZ001


def value_of(user_type: UserType, **members: Any) -> Any:
    """A value of a user type as the driver gives it; what is not told is null."""
    return namedtuple(user_type.name, user_type.columns)(*[members.get(name) for name in user_type.columns])


def observation(**members: Any) -> dict[str, Any]:
    level_1 = dict.fromkeys(OBSERVATION_COLUMNS) | {flag_of(v): MISSING for v in VARIABLES}
    values = {TEMPERATURE: 40.0, flag_of(TEMPERATURE): GOOD, WIND: 3.0, flag_of(WIND): SUSPECT, "quality_level": 1}
    return level_1 | values | {"tests_failed": 1, "row_version": VERSION, "verdict": None} | members


def verdict(version: int = VERSION) -> Any:
    masks = dict.fromkeys(JUDGED_COLUMNS, 7) | {"quality_level": 3, "rules_version": "r"}
    return value_of(VERDICT, judged_version=version, air_temperature_c_flag=BAD, **masks)


def test_a_row_without_a_verdict_is_as_level_1_left_it():
    [row] = judged([observation()])
    assert row == {name: value for name, value in observation().items() if name not in ("verdict", "row_version")}


def test_a_verdict_makes_flags_worse_and_tells_of_all_tests():
    [row] = judged([observation(verdict=verdict())])
    assert (row[flag_of(TEMPERATURE)], row[flag_of(WIND)], row[TEMPERATURE]) == (BAD, SUSPECT, 40.0)
    assert (row["tests_failed"], row["quality_level"], row["rules_version"]) == (7, 3, "r")


def test_a_verdict_tells_nothing_that_was_not_asked_for():
    row = {"observed_at": NOON, flag_of(WIND): GOOD, "row_version": VERSION, "verdict": verdict()}
    assert list(judged([row])) == [{"observed_at": NOON, flag_of(WIND): GOOD}]


@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1])
def test_a_verdict_of_another_version_of_the_row_counts_no_more(version: int):
    assert list(judged([observation(verdict=verdict(version))])) == list(judged([observation()]))


def test_a_verdict_whose_row_is_gone_is_no_row():
    assert list(judged([observation(verdict=verdict(), row_version=None)])) == []


def window(**members: Any) -> dict[str, Any]:
    level_1 = {pane_of(v): None for v in VARIABLES}
    told = {pane_of(v): value_of(PANE, value_count=10) for v in (TEMPERATURE, WIND)}
    return level_1 | told | {"station_id": "a", "window_start": NOON, "pane_version": VERSION} | members


def counts(row: dict[str, Any]) -> dict[str, int]:
    return {pane["variable"]: pane["value_count"] for pane in panes_in(row)}


def test_a_judged_pane_takes_the_place_of_the_streams():
    panes = value_of(JUDGED_PANES, judged_version=VERSION, air_temperature_c_pane=value_of(PANE, value_count=9))
    assert counts(window(judged_panes=panes)) == {TEMPERATURE: 9, WIND: 10}
    assert [pane["value_count"] for pane in panes_in(window(judged_panes=panes), (TEMPERATURE,))] == [9]


def test_a_judged_pane_without_values_is_none():
    panes = value_of(JUDGED_PANES, judged_version=VERSION, air_temperature_c_pane=value_of(PANE, value_count=0))
    assert counts(window(judged_panes=panes)) == {WIND: 10}


@pytest.mark.parametrize("stands", [VERSION + 1, None])
def test_panes_that_were_made_anew_stand_until_they_are_judged(stands: int | None):
    panes = value_of(JUDGED_PANES, judged_version=VERSION, air_temperature_c_pane=value_of(PANE, value_count=9))
    assert counts(window(judged_panes=panes, pane_version=stands)) == {TEMPERATURE: 10, WIND: 10}
    assert counts(window(judged_panes=None, pane_version=stands)) == {TEMPERATURE: 10, WIND: 10}


def latest_value(flag: int, observed_at: datetime = NOON, value: float = 40.0) -> Any:
    times = {"observed_at": observed_at, "ingested_at": APPENDED}
    return value_of(LATEST_VALUE, measured_value=value, flag=flag, **times)


def station(**members: Any) -> dict[str, Any]:
    told = {latest_of(v): None for v in VARIABLES} | {latest_of(TEMPERATURE): latest_value(GOOD)}
    return told | {"region": "us-ca", "station_id": "a"} | members


@pytest.mark.parametrize(
    ("judged_value", "flag"),
    [
        (latest_value(BAD), BAD),
        (latest_value(BAD, observed_at=datetime(2024, 5, 1, 11)), GOOD),  # noqa: DTZ001
        # Of the record that was corrected since.
        (latest_value(BAD, value=41.0), GOOD),
    ],
)
def test_a_latest_value_has_the_flag_of_its_own_verdict(judged_value: Any, flag: int):
    values = value_of(JUDGED_VALUES, air_temperature_c_latest_value=judged_value)
    [told] = latest_in(station(judged_values=values))
    assert (told["variable"], told["measured_value"], told["flag"]) == (TEMPERATURE, 40.0, flag)


def test_a_station_without_verdicts_is_told_as_the_stream_wrote_it():
    [told] = latest_in(station(judged_values=None))
    assert (told["measured_value"], told["flag"]) == (40.0, GOOD)
