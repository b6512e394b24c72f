"""How a reading was judged, as `weahouse explain` tells it, and the whole way as a person reads it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.rows import NOON

from weahouse.cli.explaining.judgement import flags_of, is_of, verdicts_of
from weahouse.cli.explaining.judgement import judged as judged_by_all
from weahouse.cli.explaining.layout import hours_text, limit_text, print_trace
from weahouse.cli.qc_limits import effective
from weahouse.qc.masks import LEVEL_1_TESTS, TESTS, bits_of
from weahouse.qc.rules import DEFAULT_RULES, load_rules
from weahouse.schemas.datasets import VERDICT_VERSION
from weahouse.schemas.fields import VARIABLES, flag_of

if TYPE_CHECKING:
    from pathlib import Path

APPENDED = NOON + timedelta(minutes=1)


def judged(failed: tuple[str, ...] = (), **values: Any) -> dict[str, Any]:
    """A row of Curated with the masks that its values make, all flags good but those of the failed tests."""
    whole = {**dict.fromkeys(VARIABLES), **{flag_of(variable): 9 for variable in VARIABLES}, **values}
    applied = [f"range:{variable}" for variable in values]
    return whole | {
        "tests_applied": bits_of({*applied, *failed}),
        "tests_failed": bits_of(failed),
        "quality_level": 1,
        **{flag_of(variable): 3 if f"range:{variable}" in failed else 1 for variable in values},
    }


def verdicts(tested: dict[str, Any], rules: Path = DEFAULT_RULES, latitude: float | None = 42.0) -> dict[str, Any]:
    limits = effective(load_rules(rules), "a", "us-il", latitude, 1)
    return {test["test"]: test for test in verdicts_of(tested, limits)}


def test_each_test_is_told_with_value_limit_and_owner():
    told = verdicts(judged(("range:air_temperature_c",), air_temperature_c=-31.0, dew_point_c=-33.0))
    assert told["range:air_temperature_c"] == {
        "test": "range:air_temperature_c",
        "verdict": "failed",
        "values": {"air_temperature_c": -31.0},
        "suspect_outside": (-30.0, 50.0),
        "bad_outside": (-40.0, 55.0),
        "from": "default, winter",
    }
    assert told["range:dew_point_c"]["verdict"] == "passed"
    assert told["range:wind_gust_mps"]["verdict"] == "not applied"
    assert told["range:wind_gust_mps"]["why"] == "no wind_gust_mps"
    assert set(told) == set(LEVEL_1_TESTS)


def deeper(row: dict[str, Any], failed: tuple[str, ...] = (), excused: tuple[str, ...] = ()) -> dict[str, Any]:
    """What curated.verdicts says of a row after level 3, all of whose tests were applied."""
    return {
        **{name: row[name] for name in VERDICT_VERSION},
        "air_temperature_c_flag": 3,
        "tests_applied": bits_of(TESTS),
        "tests_failed": bits_of((*failed, *excused)),
        "tests_excused": bits_of(excused),
        "quality_level": 3,
    }


def version(revision: int) -> dict[str, Any]:
    return {"ingested_at": APPENDED, "kafka_partition": 0, "kafka_offset": 1, "revision": revision}


def test_deeper_levels_are_told_from_the_verdict_of_the_very_version():
    row = judged(air_temperature_c=9.0) | version(revision=0)
    verdict = deeper(row, ("spike:air_temperature_c",), ("step:air_temperature_c",))
    whole = judged_by_all(row, verdict)
    told = verdicts(whole)
    assert set(told) == set(TESTS)
    assert (told["spike:air_temperature_c"]["verdict"], told["step:air_temperature_c"]["verdict"]) == (
        "failed",
        "excused",
    )
    assert limit_text(told["spike:air_temperature_c"]).startswith("sigmas 4")
    assert limit_text(told["step:air_temperature_c"]).startswith("suspect above, after 1 min: 3 60 min: 4")
    assert limit_text(told["persistence:air_temperature_c"]) == "least change in an hour 0.1"
    assert flags_of(whole)["air_temperature_c"]["flag_name"] == "suspect"


def test_a_verdict_of_another_version_counts_for_nothing():
    row = judged(air_temperature_c=9.0) | version(revision=1)
    stale = deeper(row | {"revision": 0}, ("spike:air_temperature_c",))
    assert not is_of(stale, row)
    assert judged_by_all(row, stale) == row


def test_a_limit_of_ones_own_is_told_as_the_regions(tmp_path: Path):
    mine = tmp_path / "mine.yaml"
    entry = "{us-il: {humidity_tolerance_pct: 7, range: {dew_point_c: {suspect: [-60, 30]}}}}"
    mine.write_text(DEFAULT_RULES.read_text().replace("  regions: {}", f"  regions: {entry}"))
    told = verdicts(judged(dew_point_c=1.0), mine)
    assert (told["range:dew_point_c"]["suspect_outside"], told["range:dew_point_c"]["from"]) == (
        (-60.0, 30.0),
        "region",
    )
    assert limit_text(told["humidity_disagrees"]) == "humidity as temperature and dew point imply, within 7 %"
    assert told["humidity_disagrees"]["from"] == "region"
    assert limit_text(told["dew_point_above_temperature"]) == "dew point ≤ temperature"


def test_a_number_that_means_missing_is_the_reason_why_a_test_was_not_applied():
    tested = judged() | {"dew_point_c": -9999.0}
    assert verdicts(tested)["range:dew_point_c"]["why"] == "-9999 means missing for dew_point_c"


def test_flags_have_their_names():
    told = flags_of(judged(("range:dew_point_c",), dew_point_c=34.0))
    assert told["dew_point_c"] == {"value": 34.0, "unit": "degC", "flag": 3, "flag_name": "suspect"}
    assert told["wind_gust_mps"]["flag_name"] == "missing"


def test_hours_that_follow_each_other_are_told_as_a_span():
    hours = ["2024-05-01T09", "2024-05-01T22", "2024-05-01T23", "2024-05-02T00"]
    assert hours_text(hours) == "2024-05-01T09, 2024-05-01T22 to 2024-05-02T00"


def test_the_layout_tells_the_whole_way(capsys: pytest.CaptureFixture[str]):
    tested = judged(("range:dew_point_c",), dew_point_c=34.0)
    told = {
        "station_id": "a", "station": {"station_name": "HERE"}, "region": "us-il", "observed_at": NOON,
        "records": [
            {"topic": "t", "partition": 4, "offset": 17, "appended_at": APPENDED, "key": b"a", "payload": b'{"a": [1]}',
             "disposition": "curated", "why": "it won"}
        ],
        "rules": {"judged_by": "0123456789ab", "at_hand": "0123456789ab", "latitude_deg": 42.0, "quality_level": 1},
        "flags": flags_of(tested), "tests": list(verdicts(tested).values()),
        "tables": [{"table": "raw.observations", "store": "Delta", "holds": True, "what": "1 record"}],
        "notes": ["mind [this]"], "searched": {"raw_hours": ("2024-05-01T12",), "quarantine_hours": None},
    }  # fmt: skip
    print_trace(told)
    printed = capsys.readouterr().out
    for words in (
        "a · HERE · us-il · 2024-05-01 12:00:00 UTC", "4/17", '{"a": [1]}',
        "judged at level 1 by rules 0123456789ab, at latitude 42",
        "-67.8 .. 32.2", "default", "suspect", "dew point ≤ temperature", "raw.observations", "! mind [this]",
        "searched of Raw: the hours 2024-05-01T12; searched of the quarantine: all hours",
    ):  # fmt: skip
        assert words in printed, printed
