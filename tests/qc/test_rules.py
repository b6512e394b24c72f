"""A rules file that cannot be meant is refused with its name, the entry and what it must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from weahouse.qc.entries import RulesError
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
    (
        "bad: [[60, 19.4], [90, 19.4]]",
        "bad: [[60, 3.9]]",
        "step.air_temperature_c has a suspect limit at 60 min that is above the bad one",
    ),
    (
        "suspect: [[1, 3.0], [60, 4.0],",
        "suspect: [[1, 3.0], [60, 2.0],",
        "step.air_temperature_c.suspect must have growing minutes and limits that do not fall, not [[1, 3.0], [60, 2",
    ),
    (
        "suspect: [[1, 3.0], [60, 4.0],",
        "suspect: [[1, 3.0], [1, 4.0],",
        "step.air_temperature_c.suspect must have growing minutes and limits that do not fall",
    ),
    (
        "suspect: [[1, 3.0], [60, 4.0],",
        "suspect: [[1], [60, 4.0],",
        "step.air_temperature_c.suspect must be a list of [minutes, greatest change], not [[1], [60, 4.0],",
    ),
    (
        "[360, 15.0], [720, 25.0]]",
        "[360, 15.0], [721, 25.0]]",
        "step.air_temperature_c.suspect must be above 0 and at most 720, not 721",
    ),
    (
        "bad: [[1, 15.0], [60, 50.0], [90, 50.0]]",
        "bad: []",
        "step.relative_humidity_pct has neither suspect nor bad limits: one of them must have points",
    ),
    ("    bad: [[1, 20.0], [90, 20.0]]\n", "", "step.wind_speed_mps lacks bad"),
    ("persistence:\n", "persistence:\n  wind_gust_mps: 1\n", "persistence has an unknown entry 'wind_gust_mps'"),
    (
        "  wind_from_direction_deg: 10.0",
        "  wind_from_direction_deg: 0",
        "persistence.wind_from_direction_deg must be above 0, not 0",
    ),
    (
        "persistence_equal_values: 10",
        "persistence_equal_values: 13",
        "persistence_equal_values must be a whole number, at least 2 and at most 12, not 13",
    ),
    (
        "persistence_equal_values: 10",
        "persistence_equal_values: 2.5",
        "persistence_equal_values must be a whole number, at least 2 and at most 12, not 2.5",
    ),
    ("{sigmas: 4, least_sigma: 1.0}", "{sigmas: 4}", "spike.air_temperature_c lacks least_sigma"),
    ("spike_within_min: 120", "spike_within_min: 121", "spike_within_min must be above 0 and at most 120, not 121"),
    (
        "{radius_km: 5, least_neighbours: 5,",
        "{radius_km: 5, least_neighbours: 1,",
        "buddy.air_temperature_c.least_neighbours must be a whole number, at least 2, not 1",
    ),
    (
        "{radius_km: 5, least_neighbours: 5,",
        "{radius_km: 501, least_neighbours: 5,",
        "buddy.air_temperature_c.radius_km must be above 0 and at most 500, not 501",
    ),
    ("shared_least_part: 0.5", "shared_least_part: 50", "shared_least_part must be above 0 and at most 1, not 50"),
    (
        "trusted_below_pct: 25",
        "trusted_below_pct: 76",
        "trusted_below_pct must be at most distrusted_above_pct, 75, not 76",
    ),
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
        "{a: {step: {air_temperature_c: {suspect: [[60, 20]]}}}}",
        "overrides.stations.a.step.air_temperature_c has a suspect limit at 60 min that is above the bad one",
    ),
    ("stations", "{a: {buddy: {rain: {}}}}", "overrides.stations.a.buddy has an unknown entry 'rain'"),
    (
        "regions",
        "{us-ca: {buddy: {air_temperature_c: {radius: 10}}}}",
        "overrides.regions.us-ca.buddy.air_temperature_c has an unknown entry 'radius': it may have radius_km,",
    ),
    (
        "regions",
        "{us-ca: {distrusted_above_pct: 20}}",
        "overrides.regions.us-ca.trusted_below_pct must be at most distrusted_above_pct, 20, not 25",
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


def test_what_an_override_of_levels_2_and_3_leaves_out_is_the_default_s(tmp_path: Path):
    entry = (
        "{a: {step: {dew_point_c: {suspect: [[1, 3], [60, 5]]}}, spike: {dew_point_c: {sigmas: 6}},"
        " buddy: {dew_point_c: {radius_km: 25}}}}"
    )
    rules = load_rules(overridden(tmp_path, "stations", entry))
    step, spike, buddy = (rules.of(f"{section}.dew_point_c", "a")[0] for section in ("step", "spike", "buddy"))
    assert (step.suspect, step.bad) == (((1, 3), (60, 5)), rules.defaults["step.dew_point_c"].bad)
    assert (spike.sigmas, spike.least_sigma) == (6, rules.defaults["spike.dew_point_c"].least_sigma)
    assert (buddy.radius_km, buddy.least_neighbours, buddy.deviations) == (25, 5, 2)
    assert rules.of("step.dew_point_c", "b") == (rules.defaults["step.dew_point_c"], "default")


def test_a_step_that_is_told_is_the_one_that_judges():
    step = load_rules().defaults["step.air_temperature_c"]
    told = [step.at("suspect", minutes) for minutes in (0.5, 1, 30.5, 60, 90, 720, 720.1)]
    assert told == [3.0, 3.0, 3.5, 4.0, 5.5, 25.0, None]
    assert [step.at("bad", minutes) for minutes in (1, 90, 91)] == [19.4, 19.4, None]
