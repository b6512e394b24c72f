"""The lines are real ones of the shipped file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from weahouse.schemas.render import to_json_schema
from weahouse.sources import isd
from weahouse.sources.feed import ISD_HOURLY
from weahouse.sources.records import Record, Refused

if TYPE_CHECKING:
    from pathlib import Path

REGIONS = {"724940:23234": "us-ca", "725030:14732": "us-ny", "722020:12839": "us-fl"}


def read(tmp_path: Path, *lines: str) -> list[Record | Refused]:
    file = tmp_path / "lines.csv"
    file.write_text("\n".join(lines) + "\n")
    return list(isd.read(file, REGIONS))


def event(tmp_path: Path, line: str) -> dict[str, object]:
    (record,) = read(tmp_path, line)
    assert isinstance(record, Record)
    return json.loads(record.value)


def test_a_complete_report_becomes_an_event_of_the_contract(tmp_path: Path) -> None:
    (record,) = read(tmp_path, "724940:23234,2008,01,01,00,11.7,-0.6,1023.8,50,7.2,2,0.0,0.0")
    assert isinstance(record, Record)
    assert record.key == b"724940:23234"
    assert record.at == 1199145600
    assert json.loads(record.value) == {
        "station_id": "724940:23234",
        "region": "us-ca",
        "observed_at": "2008-01-01T00:00:00Z",
        "air_temperature_c": 11.7,
        "dew_point_c": -0.6,
        "air_pressure_at_sea_level_hpa": 1023.8,
        "wind_speed_mps": 7.2,
        "wind_from_direction_deg": 50.0,
        "precipitation_mm": 0.0,
    }


def test_a_report_without_temperature_dew_point_pressure_and_wind_keeps_its_hour_and_its_rain(tmp_path: Path) -> None:
    found = event(tmp_path, "724940:23234,2008,01,01,08,0.0,999.9,0.0,0,0.0,2,0.0,0.0")
    assert set(found) == {"station_id", "region", "observed_at", "precipitation_mm"}


@pytest.mark.parametrize(
    ("line", "missing", "present"),
    [
        pytest.param(
            "724940:23234,2008,01,04,16,15.0,13.0,0.0,170,23.7,8,-0.1,0.0",
            "air_pressure_at_sea_level_hpa",
            {"air_temperature_c": 15.0},
            id="a pressure of 0 is missing",
        ),
        pytest.param(
            "724940:23234,2009,10,13,18,16.1,999.9,997.8,180,15.4,8,0.7,4.1",
            "dew_point_c",
            {"air_temperature_c": 16.1},
            id="a dew point of 999.9 is missing and takes no temperature along",
        ),
        pytest.param(
            "725030:14732,2011,08,02,06,0.0,19.4,1007.4,280,3.1,4,0.0,0.0",
            "air_temperature_c",
            {"dew_point_c": 19.4},
            id="a temperature of 0 below its dew point is missing",
        ),
        pytest.param(
            "724940:23234,2008,01,11,13,0.0,999.9,1023.8,50,1.5,8,0.0,0.0",
            "air_temperature_c",
            {"wind_speed_mps": 1.5, "wind_from_direction_deg": 50.0, "air_pressure_at_sea_level_hpa": 1023.8},
            id="a temperature of 0 without dew point is missing and leaves wind and pressure",
        ),
        pytest.param(
            "724940:23234,2008,01,07,02,9.4,5.0,1010.6,0,3.1,8,-0.1,0.0",
            "wind_from_direction_deg",
            {"wind_speed_mps": 3.1},
            id="a direction of 0 with wind is missing",
        ),
        pytest.param(
            "722020:12839,2012,11,12,15,0.0,999.9,0.0,90,0.0,1,0.0,0.0",
            "wind_speed_mps",
            {"wind_from_direction_deg": 90.0},
            id="a speed of 0 with a direction is missing",
        ),
    ],
)
def test_a_zero_is_judged_by_its_company(tmp_path: Path, line: str, missing: str, present: dict[str, float]) -> None:
    found = event(tmp_path, line)
    assert missing not in found
    assert present.items() <= found.items()


@pytest.mark.parametrize(
    ("line", "present"),
    [
        pytest.param(
            "725030:14732,2008,01,02,13,0.0,-7.8,1008.2,330,6.7,8,0.0,0.0",
            {"air_temperature_c": 0.0, "dew_point_c": -7.8},
            id="a freezing point with a dew point below it is a temperature",
        ),
        pytest.param(
            "724940:23234,2008,01,01,11,5.0,0.6,1024.4,0,0.0,0,0.0,0.0",
            {"wind_speed_mps": 0.0, "wind_from_direction_deg": 0.0},
            id="a calm is speed and direction 0",
        ),
        pytest.param(
            "724940:23234,2008,01,03,20,14.4,6.7,1013.7,170,10.8,8,-0.1,0.0",
            {"precipitation_mm": 0.0},
            id="a trace of rain is less than can be measured",
        ),
        pytest.param(
            "722020:12839,2012,05,22,18,23.3,22.2,1015.4,120,6.7,8,10.1,12.9",
            {"precipitation_mm": 101.0},
            id="rain is written in cm, and the 6-hour column is another report's",
        ),
    ],
)
def test_a_value_that_looks_like_a_hole_is_kept(tmp_path: Path, line: str, present: dict[str, float]) -> None:
    assert present.items() <= event(tmp_path, line).items()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("724940:23234,2008,01,01", "4 columns instead of 13"),
        ("724940:23234,2008,02,30,00,11.7,-0.6,1023.8,50,7.2,2,0.0,0.0", "columns 2 to 4 are no date"),
        ("724940:23234,2008,01,01,24,11.7,-0.6,1023.8,50,7.2,2,0.0,0.0", "column 5 is not an hour from 0 to 23"),
        ("724940:23234,2008,01,01,00,warm,-0.6,1023.8,50,7.2,2,0.0,0.0", "a value is not a finite number"),
        ("724940:23234,2008,01,01,00,nan,-0.6,1023.8,50,7.2,2,0.0,0.0", "a value is not a finite number"),
        ('a" b,2008,01,01,00,11.7,-0.6,1023.8,50,7.2,2,0.0,0.0', "the first column is not a station id"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_with_its_number_and_the_next_is_read(
    tmp_path: Path, line: str, reason: str
) -> None:
    good = "724940:23234,2008,01,01,00,11.7,-0.6,1023.8,50,7.2,2,0.0,0.0"
    before, refused, after = read(tmp_path, good, line, good)
    assert refused == Refused(2, reason)
    assert isinstance(before, Record)
    assert before == after


def test_a_station_that_no_list_knows_is_of_an_unknown_region(tmp_path: Path) -> None:
    assert event(tmp_path, "1:2,2008,01,01,00,11.7,-0.6,1023.8,50,7.2,2,0.0,0.0")["region"] == "unknown"


@pytest.fixture(scope="module")
def shipped() -> list[Record]:
    """Every line of the shipped file; none may be refused."""
    records = []
    for record in isd.read(ISD_HOURLY):
        assert isinstance(record, Record)
        records.append(record)
    return records


def test_the_shipped_file_holds_one_reading_for_each_station_and_hour_and_exact_repeats_of_it(
    shipped: list[Record],
) -> None:
    keys = {(record.key, record.at) for record in shipped}
    values = {record.value for record in shipped}
    assert (len(shipped), len(keys), len(values)) == (395_453, 282_470, 282_470)
    assert {value.split(b'"region":"')[1][:5] for value in values} == {b"us-ca", b"us-ny", b"us-fl", b"us-il"}


def test_no_missing_value_of_the_shipped_file_is_sent_as_a_number(shipped: list[Record]) -> None:
    events = {record.value for record in shipped}
    lacking = dict.fromkeys(("air_temperature_c", "dew_point_c", "air_pressure_at_sea_level_hpa"), 0)
    lacking |= dict.fromkeys(("wind_speed_mps", "wind_from_direction_deg", "precipitation_mm"), 0)
    for value in events:
        assert b'dew_point_c":999.9' not in value
        assert b"-0.1}" not in value
        for variable in lacking:
            lacking[variable] += variable.encode() not in value
    assert lacking == {
        # 9,429 without dew point, and three below it.
        "air_temperature_c": 9_432,
        "dew_point_c": 9_445,
        "air_pressure_at_sea_level_hpa": 11_335,
        # 9,412 of the empty reports, and one with a direction.
        "wind_speed_mps": 9_413,
        # Those 9,412, and 5,188 with wind.
        "wind_from_direction_deg": 14_600,
        "precipitation_mm": 0,
    }


def test_events_are_of_the_published_schema(shipped: list[Record]) -> None:
    validator = Draft202012Validator(to_json_schema())
    # Every 997th: a prime beside the day's 24 hours, so that all hours and both copies of a station are met.
    for record in shipped[::997]:
        validator.validate(json.loads(record.value))
