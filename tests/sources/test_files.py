from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from weahouse.sources import ndjson, surfrad
from weahouse.sources.lines import SourceError, numbered_lines
from weahouse.sources.records import Record, Refused, redated, render
from weahouse.sources.stations import isd_regions, read_stations, region_of

SURFRAD_DAY = Path(__file__).parents[1] / "data" / "surfrad-alamosa-2016-01-01.dat.gz"


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [("", bytes), (".gz", gzip.compress), (".zst", zstandard.compress)],
    ids=["plain", "gzip", "zstandard"],
)
def test_a_file_is_read_by_its_suffix(tmp_path: Path, suffix: str, pack) -> None:
    file = tmp_path / f"lines.txt{suffix}"
    file.write_bytes(pack(b"one\r\n\ntwo"))
    assert list(numbered_lines(file)) == [(1, b"one"), (2, b""), (3, b"two")]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_damaged_file_is_named(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"lines.txt{suffix}"
    file.write_bytes(b"this is not packed at all")
    with pytest.raises(SourceError, match=r"lines\.txt"):
        list(numbered_lines(file))


def test_a_file_that_was_cut_is_not_taken_for_a_shorter_one(tmp_path: Path) -> None:
    file = tmp_path / "cut.gz"
    file.write_bytes(gzip.compress(b"a line\n" * 100_000)[:-20])
    with pytest.raises(SourceError, match=r"cut\.gz"):
        list(numbered_lines(file))


def test_a_surfrad_day_is_1440_minutes_of_a_station_in_the_west() -> None:
    records = list(surfrad.read(SURFRAD_DAY))
    station = surfrad.station_of(SURFRAD_DAY)
    assert (station["latitude_deg"], station["longitude_deg"], station["elevation_m"]) == (37.70, -105.92, 2317.0)
    assert len(records) == 1440
    first = records[0]
    assert isinstance(first, Record)
    assert json.loads(first.value) == {
        "station_id": "surfrad:alamosa",
        "region": "us-co",
        "observed_at": "2016-01-01T00:00:00Z",
        "air_temperature_c": -7.6,
        "relative_humidity_pct": 52.7,
        "wind_speed_mps": 3.1,
        "wind_from_direction_deg": 304.7,
        "air_pressure_hpa": 773.5,
    }


def test_a_calm_of_surfrad_has_no_direction_of_its_own() -> None:
    events = [json.loads(record.value) for record in surfrad.read(SURFRAD_DAY) if isinstance(record, Record)]
    calm = [event for event in events if event["wind_speed_mps"] == 0]
    assert len(calm) == 564
    assert {event["wind_from_direction_deg"] for event in calm} == {0.0}


def test_a_missing_value_of_surfrad_is_left_out_and_a_broken_minute_refused(tmp_path: Path) -> None:
    lines = gzip.decompress(SURFRAD_DAY.read_bytes()).splitlines(keepends=True)[:4]
    file = tmp_path / "day.dat"
    file.write_bytes(b"".join(lines[:3]).replace(b"773.5", b"-9999.9") + lines[3][:30] + b"\n")
    record, refused = surfrad.read(file)
    assert isinstance(record, Record)
    assert "air_pressure_hpa" not in json.loads(record.value)
    assert refused == Refused(4, "not a clock and pairs of numbers")


def test_a_file_without_surfrads_header_is_named(tmp_path: Path) -> None:
    file = tmp_path / "other.dat"
    file.write_text("one line\n")
    with pytest.raises(SourceError, match=r"other\.dat does not begin with SURFRAD's two header lines"):
        list(surfrad.read(file))


def test_an_ndjson_line_goes_out_as_it_is_even_when_it_breaks_the_contract(tmp_path: Path) -> None:
    lines = [
        b'{ "station_id": "a-1",  "observed_at": "2024-02-29T12:00:00.5+01:00" }',
        b'{"station_id": "a-1"',
        b"[1, 2]",
        b'{"station_id": "../x", "observed_at": "2024-03-01T00:00:00"}',
        b"\xff\xfe",
        b'{"station_id": "a-1", "observed_at": "9999-12-31T23:59:59Z"}',
        b"[" * 100_000,
    ]
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join(lines))
    records = [record for record in ndjson.read(file) if isinstance(record, Record)]
    assert [record.value for record in records] == lines
    assert [record.key for record in records] == [b"a-1", None, None, None, None, b"a-1", None]
    # What has no readable time of its own stays behind the line before.
    assert {record.at for record in records} == {1709204400}


def test_an_empty_line_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(b'\n{"station_id": "a-1"}\n  \n')
    assert [line for line in ndjson.read(file) if isinstance(line, Refused)] == [
        Refused(1, "empty line"),
        Refused(3, "empty line"),
    ]


def test_a_reading_is_dated_anew_without_touching_the_rest() -> None:
    values = {"air_temperature_c": -0.5, "precipitation_mm": 0.0}
    record = Record(0, b"a-1", render("a-1", "us-ca", 0, values))
    assert redated(record, 86_400) == Record(86_400, b"a-1", render("a-1", "us-ca", 86_400, values))


def test_a_verbatim_line_cannot_be_dated_anew() -> None:
    with pytest.raises(ValueError, match="only an event that an adapter rendered"):
        redated(Record(0, None, b'{"station_id":"a-1"}'), 1)


@pytest.mark.parametrize(
    ("country", "state", "region"),
    [("US", "CA", "us-ca"), ("NO", "", "no"), ("", "", "unknown"), ("", "CA", "unknown"), ("U S", "C/A", "us-ca")],
)
def test_a_region_is_country_and_state(country: str, state: str, region: str) -> None:
    assert region_of(country, state) == region


def test_the_shipped_list_knows_the_five_stations_and_leaves_unknown_places_empty() -> None:
    stations = [row for row in read_stations() if not isinstance(row, Refused)]
    assert len(stations) == 19_704
    by_id = {station["station_id"]: station for station in stations}
    assert by_id["725030:14732"] == {
        "station_id": "725030:14732",
        "region": "us-ny",
        "station_name": "NEW YORK LAGUARDIA ARPT",
        "country": "US",
        "state": "NY",
        "call_sign": "KLGA",
        "latitude_deg": 40.783,
        "longitude_deg": -73.883,
        "elevation_m": 3.4,
        "registry": "isd",
    }
    assert by_id["10000:99999"]["latitude_deg"] is None
    assert sum(station["latitude_deg"] is None for station in stations) == 477
    assert isd_regions()["722950:23174"] == "us-ca"


def test_a_station_line_that_cannot_be_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "stations.csv"
    file.write_text("1:2,NAME,US,CA,,91,0,0\n1:2,NAME\n1:2,NAME,US,CA,,x,0,0\n../x,NAME,US,CA,,1,1,1\n")
    rows = list(read_stations(file))
    assert len(rows) == 4
    assert all(isinstance(row, Refused) for row in rows)
