"""A rules file that cannot be meant is refused with its name, the entry and what it must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from weahouse.qc.reading import RulesError
from weahouse.qc.rules import DEFAULT_RULES, load_rules


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = DEFAULT_RULES.read_text()
    assert old in text
    copy = tmp_path / "mine.yaml"
    copy.write_text(text.replace(old, new, 1))
    return copy


def overridden(tmp_path: Path, kind: str, entry: str) -> Path:
    return changed(tmp_path, f"  {kind}: {{}}", f"  {kind}: {entry}")


def test_the_version_is_a_hash_of_the_content(tmp_path: Path):
    other = changed(tmp_path, "bad: [-80.0, 60.0]", "bad: [-80.0, 59.0]")
    assert load_rules(other).version != load_rules().version
    assert load_rules(DEFAULT_RULES).version == load_rules().version


WRONG = [
    (
        "suspect: [-51.1, 54.4]",
        "suspect: [54.4, -51.1]",
        "range.air_temperature_c.suspect must be [low, high] with low below high, not [54.4, -51.1]",
    ),
    (
        "suspect: [-51.1, 54.4]",
        "suspect: [-81, 54.4]",
        "range.air_temperature_c has suspect -81 .. 54.4, which must lie within bad -80 .. 60",
    ),
    ("suspect: [-51.1, 54.4]", "suspect: [-51.1]", "range.air_temperature_c.suspect must be [low, high], not [-51.1]"),
    ("suspect: [-51.1, 54.4]", "suspect: [cold, 54.4]", "range.air_temperature_c.suspect must be a number, not 'cold'"),
    ("suspect: [-51.1, 54.4]", "suspect: [.nan, 54.4]", "range.air_temperature_c.suspect must be a number, not nan"),
    ("suspect: [-51.1, 54.4]", "suspect: [true, 54.4]", "range.air_temperature_c.suspect must be a number, not True"),
    (
        "bad: [-80.0, 60.0]",
        "bad: [-95, 60]",
        "range.air_temperature_c has bad -95 .. 60, which must lie within the physical limits -80 .. 60",
    ),
    (
        "bad: [-80.0, 60.0]",
        "worse: [-80, 60]",
        "range.air_temperature_c has an unknown entry 'worse': it may have suspect, bad, zones",
    ),
    (
        "  dew_point_c: {suspect",
        "  dewpoint: {suspect",
        "range has an unknown entry 'dewpoint': it may have air_temperature_c, dew_point_c",
    ),
    ("  dew_point_c: {suspect", "  air_temperature_c: {suspect", "line 20: 'air_temperature_c' is given twice"),
    ("  wind_gust_mps: {suspect: [0.0, 75.0], bad: [0.0, 128.3]}\n", "", "range lacks wind_gust_mps"),
    (
        "up_to_latitude_deg: 90",
        "up_to_latitude_deg: 80",
        "range.air_temperature_c.zones must end at growing latitudes above 0, the last at 90, not at 45, 80",
    ),
    (
        "up_to_latitude_deg: 45",
        "up_to_latitude_deg: 90",
        "zones must end at growing latitudes above 0, the last at 90, not at 90, 90",
    ),
    (
        "summer: {suspect: [-20.0, 50.0]",
        "summer: {suspect: [-20.0, 70.0]",
        "range.air_temperature_c.zones.1.summer has suspect -20 .. 70, which must lie within bad -30 .. 60",
    ),
    (
        "        winter: {suspect: [-80.0, 35.0], bad: [-90.0, 40.0]}\n",
        "",
        "range.air_temperature_c.zones.2 lacks winter",
    ),
    (
        "winter: {suspect: [-80.0, 35.0], bad: [-90.0, 40.0]}",
        "winter: {suspect: [-99, -85], bad: [-99, -81]}",
        "zones.2.winter leaves no good value within bad -80 .. 60",
    ),
    ("[10, 11, 12, 1, 2, 3]", "[10, 13]", "northern_winter_months must be a list of months from 1 to 12, not [10, 13]"),
    (
        "humidity_tolerance_pct: 5.0",
        "humidity_tolerance_pct: wide",
        "humidity_tolerance_pct must be a number, not 'wide'",
    ),
    ("reporting_interval_min: 60.0", "reporting_interval_min: 0", "reporting_interval_min must be above 0, not 0"),
    ("reporting_interval_min: 60.0\n", "", "the file lacks reporting_interval_min"),
    ("overrides:", "overides:", "the file has an unknown entry 'overides'"),
    ("missing:\n", "missing:\n  snow: [1]\n", "missing has an unknown entry 'snow'"),
    ("range:\n", "range: [\n", "cannot be read as YAML: line"),
    (
        "  dew_point_c: [-9999.9",
        "  dew_point_c: -9999.9 #",
        "missing.dew_point_c must be a list of numbers that mean missing, not -9999.9",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), WRONG, ids=[told for _, _, told in WRONG])
def test_a_wrong_entry_is_named_with_what_it_must_be(tmp_path: Path, old: str, new: str, told: str):
    with pytest.raises(RulesError) as error:
        load_rules(changed(tmp_path, old, new))
    assert str(error.value).startswith("mine.yaml: ")
    assert told in str(error.value)


WRONG_OVERRIDES = [
    ("regions", "{'us ca': {}}", "overrides.regions.us ca is no name of a region or station"),
    (
        "regions",
        "{no: {reporting_interval_min: 1}}",
        "overrides.regions has the name False, which is no text: write it in quotes",
    ),
    ("regions", "[us-ca]", "overrides.regions must hold named entries, not ['us-ca']"),
    ("regions", "{us-ca: 5}", "overrides.regions.us-ca must hold named entries, not 5"),
    (
        "regions",
        "{us-ca: {reporting_interval_mins: 5}}",
        "overrides.regions.us-ca has an unknown entry 'reporting_interval_mins': it may have range, missing,",
    ),
    (
        "stations",
        "{a: {reporting_interval_min: -1}}",
        "overrides.stations.a.reporting_interval_min must be above 0, not -1",
    ),
    (
        "stations",
        "{a: {range: {snow_mm: {suspect: [0, 1]}}}}",
        "overrides.stations.a.range has an unknown entry 'snow_mm'",
    ),
    (
        "stations",
        "{a: {range: {dew_point_c: {suspect: [-90, 30]}}}}",
        "overrides.stations.a.range.dew_point_c has suspect -90 .. 30, which must lie within bad -80 .. 35",
    ),
    (
        "stations",
        "{a: {range: {dew_point_c: {suspect: [30, 20]}}}}",
        "overrides.stations.a.range.dew_point_c.suspect must be [low, high] with low below high",
    ),
]


@pytest.mark.parametrize(("kind", "entry", "told"), WRONG_OVERRIDES, ids=[told for _, _, told in WRONG_OVERRIDES])
def test_a_wrong_override_is_named_with_its_region_or_station(tmp_path: Path, kind: str, entry: str, told: str):
    with pytest.raises(RulesError) as error:
        load_rules(overridden(tmp_path, kind, entry))
    assert str(error.value).startswith("mine.yaml: ")
    assert told in str(error.value)


@pytest.mark.parametrize("content", [b"", b"just text", b"\xff\xfe\x00", b"- a\n- b\n"])
def test_a_file_that_is_no_rules_file_is_refused(tmp_path: Path, content: bytes):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(RulesError, match=r"mine\.yaml: the file"):
        load_rules(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(RulesError, match=r"nowhere\.yaml cannot be read: No such file"):
        load_rules(tmp_path / "nowhere.yaml")


def test_an_override_keeps_the_numbers_that_mean_missing_everywhere(tmp_path: Path):
    rules = load_rules(overridden(tmp_path, "stations", "{a: {missing: {dew_point_c: [77]}}}"))
    numbers, owner = rules.of("missing.dew_point_c", "a")
    assert (numbers, owner) == ((*rules.defaults["missing.dew_point_c"], 77.0), "station")
