from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from weahouse.schemas.render import to_json_schema
from weahouse.sources.live import Schedule, SimulatedSource
from weahouse.sources.network import network
from weahouse.sources.records import is_name
from weahouse.sources.simulator import Readings, measure, records, relative_humidity
from weahouse.sources.weather import hours_since_front, weather

SPRING = 1_779_000_000
HOUR, DAY = 3600, 86_400
HOURS_OF_60_DAYS = np.arange(SPRING, SPRING + 60 * DAY, HOUR)


def of_station(number: int, at: np.ndarray = HOURS_OF_60_DAYS, seed: int = 7, interval: float = HOUR) -> Readings:
    return measure(network(seed, 40), np.full(len(at), number), at, interval)


def test_a_value_is_a_function_of_seed_station_and_time_whatever_is_asked_beside_it() -> None:
    alone = measure(network(7, 3), np.array([2]), np.array([SPRING + 30]), 60.0)
    crowd = measure(network(7, 500), np.arange(500), np.full(500, SPRING + 30), 60.0)
    assert {name: values[0] for name, values in alone.items()} == {name: values[2] for name, values in crowd.items()}


def test_another_seed_is_another_weather_on_stations_of_another_name() -> None:
    assert network(7, 1).ids == ("sim-7-us-co-0001",)
    assert network(8, 1).ids == ("sim-8-us-co-0001",)
    assert not np.array_equal(of_station(0)["air_temperature_c"], of_station(0, seed=8)["air_temperature_c"])


def test_stations_have_names_of_the_contract_and_places_of_their_own() -> None:
    stations = network(7, 500).stations()
    assert all(is_name(station["station_id"]) and is_name(station["region"]) for station in stations)
    assert len({station["station_id"] for station in stations}) == 500
    assert len({(station["latitude_deg"], station["longitude_deg"]) for station in stations}) == 500


@pytest.mark.parametrize("number", [0, 3, 5])
def test_readings_agree_with_each_other(number: int) -> None:
    found = of_station(number)
    assert (found["dew_point_c"] <= found["air_temperature_c"]).all()
    assert (found["wind_gust_mps"] >= found["wind_speed_mps"]).all()
    assert ((found["wind_speed_mps"] == 0) == (found["wind_from_direction_deg"] == 0)).all()
    assert (found["precipitation_mm"] >= 0).all()
    humidity = relative_humidity(found["air_temperature_c"], found["dew_point_c"])
    assert np.abs(found["relative_humidity_pct"] - humidity).max() <= 0.051
    assert 0 < (found["wind_speed_mps"] == 0).mean() < 0.3
    assert 0.01 < (found["precipitation_mm"] > 0).mean() < 0.2


def test_pressure_at_the_station_is_that_at_sea_level_less_the_air_between() -> None:
    mountain = int(np.argmax(network(7, 40).elevation))
    found = of_station(mountain)
    height = network(7, 40).elevation[mountain]
    difference = found["air_pressure_at_sea_level_hpa"] - found["air_pressure_hpa"]
    # Near the ground a hPa is 8 to 10 m of air, more of them higher up.
    assert (difference > height / 11).all()
    assert (difference < height / 8).all()


def test_afternoons_are_warmer_than_nights_and_july_than_january() -> None:
    temperature = of_station(4)["air_temperature_c"].reshape(-1, 24).mean(axis=0)
    utc = (SPRING // HOUR + np.arange(24)) % 24
    solar = (utc + network(7, 40).longitude[4] / 15) % 24
    assert 13 <= solar[temperature.argmax()] <= 17
    assert temperature.max() - temperature.min() > 6
    january, july = (of_station(4, at + HOURS_OF_60_DAYS - SPRING) for at in (1_767_225_600, 1_782_864_000))
    assert july["air_temperature_c"].mean() - january["air_temperature_c"].mean() > 10


def test_it_is_colder_on_the_mountain() -> None:
    sites = network(7, 40)
    colorado = np.array([number for number, region in enumerate(sites.regions) if region == "us-co"])
    high, low = (int(colorado[pick(sites.elevation[colorado])]) for pick in (np.argmax, np.argmin))
    colder = of_station(low)["air_temperature_c"].mean() - of_station(high)["air_temperature_c"].mean()
    assert colder == pytest.approx(6.5 * (sites.elevation[high] - sites.elevation[low]) / 1000, abs=1.5)


def a_front_at(number: int, seed: int = 7) -> tuple[int, int]:
    """A front and the second at which it passes a station."""
    front = np.array([SPRING // (4 * DAY) + 2])
    hours = hours_since_front(network(seed, 40), np.array([number]), np.array([float(SPRING)]), front)
    return int(front[0]), int(SPRING - hours[0] * HOUR)


def test_a_front_crosses_neighbours_within_hours_and_the_continent_within_days() -> None:
    sites = network(7, 40)
    front, _ = a_front_at(0)
    everybody = np.arange(40)
    passes = -hours_since_front(sites, everybody, np.zeros(40), np.full(40, front))
    colorado = passes[[region == "us-co" for region in sites.regions]]
    assert 0 < colorado.max() - colorado.min() < 10
    assert passes.max() - passes.min() > 40


@pytest.mark.parametrize("number", [0, 2, 4])
def test_with_a_front_pressure_falls_then_the_wind_veers_the_temperature_drops_and_rain_follows(number: int) -> None:
    _, passes = a_front_at(number)
    sites = network(7, 40)

    def at(hours: float):
        return weather(sites, np.array([number]), np.array([passes + hours * HOUR]))

    assert at(0).sea_level_pressure < at(-12).sea_level_pressure - 2
    assert at(0).sea_level_pressure < at(12).sea_level_pressure - 2
    assert at(2).rain_rate > 0.2
    assert at(-8).rain_rate < 0.2
    assert at(1).temperature < at(-1).temperature - 2
    assert 20 < (at(1).wind_direction - at(-1).wind_direction) % 360 < 140


def test_minutes_of_rain_add_up_to_the_hours() -> None:
    minutes = np.arange(SPRING, SPRING + 60 * DAY, 60)
    by_minute = of_station(2, minutes, interval=60)["precipitation_mm"].sum()
    by_hour = of_station(2)["precipitation_mm"].sum()
    assert by_minute == pytest.approx(by_hour, rel=0.15)


def test_minutes_change_less_than_the_step_limits_of_quality_control() -> None:
    found = of_station(2, np.arange(SPRING, SPRING + 10 * DAY, 60), interval=60)
    for variable, limit in {"air_temperature_c": 3, "dew_point_c": 4, "air_pressure_hpa": 2}.items():
        assert np.abs(np.diff(found[variable])).max() < limit


def test_readings_are_events_of_the_published_schema() -> None:
    validator = Draft202012Validator(to_json_schema())
    sites, station, at = network(7, 40), np.arange(40), np.full(40, SPRING)
    for record in records(sites, station, at, measure(sites, station, at, 60.0)):
        event = json.loads(record.value)
        validator.validate(event)
        assert len(event) == 12
        assert record.key == event["station_id"].encode()


def test_stations_take_turns_and_report_once_an_interval() -> None:
    schedule = Schedule(network(7, 50), Fraction(50, 60))
    source = SimulatedSource(schedule, SPRING)
    sent = [record for second in range(1, 121) for record in source.due(SPRING + second)]
    assert len(sent) == 100
    assert len({(record.key, record.at) for record in sent}) == 100
    assert max(record.at for record in sent[:50]) - min(record.at for record in sent[:50]) >= 55
    assert {record.key: record.at for record in sent[:50]} == {record.key: record.at - 60 for record in sent[50:]}


def test_a_restart_goes_on_with_the_same_schedule() -> None:
    schedule = Schedule(network(7, 50), Fraction(50, 60))
    whole = list(SimulatedSource(schedule, SPRING).due(SPRING + 60))
    first, second = SimulatedSource(schedule, SPRING), SimulatedSource(schedule, SPRING + 30)
    assert [*first.due(SPRING + 30), *second.due(SPRING + 60)] == whole


@pytest.mark.parametrize("rate", [Fraction(1), Fraction(7, 3), Fraction(40)])
def test_no_station_dates_two_reports_to_one_second(rate: Fraction) -> None:
    station, at, _ = Schedule(network(7, 40), rate).readings(int(SPRING * rate), int(SPRING * rate) + 5_000)
    assert len(set(zip(station.tolist(), at.tolist(), strict=True))) == 5_000


def test_more_readings_than_one_a_second_and_station_cannot_be() -> None:
    with pytest.raises(ValueError, match="50 readings/s from 40 stations"):
        Schedule(network(7, 40), Fraction(50))
