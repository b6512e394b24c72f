"""Readings of the simulated network: what its sensors make of the weather, as the contract's measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from weahouse.schemas.fields import MEASUREMENTS
from weahouse.sources.randomness import normal, uniform
from weahouse.sources.records import Record, render
from weahouse.sources.weather import HOUR_S, Floats, weather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from weahouse.sources.network import Network

Readings = dict[str, Floats]

_TEMPERATURE, _DEW_POINT, _PRESSURE, _WIND, _DIRECTION, _GUST, _RAIN = range(200, 207)
# A cup anemometer does not start below half a metre a second.
_CALM_BELOW_MPS = 0.5
_RAIN_STEP_MM = 0.1
# Hydrostatic constants of the standard atmosphere: g over the gas constant of dry air, in K/m.
_G_OVER_R = 9.80665 / 287.053
_HALF_LAPSE = 0.0065 / 2


def measure(network: Network, station: NDArray[np.int64], at: NDArray[np.int64], interval: float) -> Readings:
    """What each station (by number) reports at each time (epoch seconds), to the sensors' resolution.

    A pure function of its arguments; rain is the amount of the `interval` seconds before.
    """
    seed, true = network.seed, weather(network, station, at.astype(np.float64))
    temperature = _tenths(true.temperature + 0.1 * normal(seed, station, at, _TEMPERATURE))
    dew_point = np.minimum(_tenths(true.dew_point + 0.1 * normal(seed, station, at, _DEW_POINT)), temperature)
    sea_level = true.sea_level_pressure + 0.03 * normal(seed, station, at, _PRESSURE)
    speed = true.wind_speed * (1.0 + 0.08 * normal(seed, station, at, _WIND))
    speed = np.where(speed < _CALM_BELOW_MPS, 0.0, _tenths(speed))
    gust = _tenths(speed * (1.2 + 0.5 * uniform(seed, station, at, _GUST)))
    direction = np.round(true.wind_direction + 5.0 * normal(seed, station, at, _DIRECTION)) % 360.0
    # A rain gauge tips in whole steps: the part of a step falls into this reading as often as it is large.
    tips = np.floor(true.rain_rate * interval / HOUR_S / _RAIN_STEP_MM + uniform(seed, station, at, _RAIN))
    readings = {
        "air_temperature_c": temperature,
        "dew_point_c": dew_point,
        "relative_humidity_pct": _tenths(relative_humidity(temperature, dew_point)),
        "air_pressure_hpa": _tenths(station_pressure(sea_level, temperature, network.elevation[station])),
        "air_pressure_at_sea_level_hpa": _tenths(sea_level),
        "wind_speed_mps": speed,
        "wind_gust_mps": np.maximum(gust, speed),
        # North is 360; 0 is a calm.
        "wind_from_direction_deg": np.where(speed == 0.0, 0.0, np.where(direction == 0.0, 360.0, direction)),
        "precipitation_mm": _tenths(tips * _RAIN_STEP_MM),
    }
    return {name: np.clip(readings[name], field.minimum, field.maximum) for name, field in MEASUREMENTS.items()}


def relative_humidity(temperature: Floats, dew_point: Floats) -> Floats:
    """Percent, from temperature and dew point (degC) by Magnus' formula (WMO-No. 8, over water)."""
    return np.asarray(100.0 * np.exp(_magnus(dew_point) - _magnus(temperature)))


def station_pressure(sea_level: Floats, temperature: Floats, elevation: Floats) -> Floats:
    """hPa at `elevation` (m), under a column of air that is as warm as the station at its top and standard below."""
    column = temperature + 273.15 + _HALF_LAPSE * elevation
    return np.asarray(sea_level * np.exp(-_G_OVER_R * elevation / column))


def records(
    network: Network, station: NDArray[np.int64], at: NDArray[np.int64], readings: Readings
) -> Iterator[Record]:
    """The readings as records to send, in the order of the arrays."""
    names = tuple(readings)
    columns = [readings[name].tolist() for name in names]
    for number, moment, *values in zip(station.tolist(), at.tolist(), *columns, strict=True):
        station_id = network.ids[number]
        value = render(station_id, network.regions[number], moment, dict(zip(names, values, strict=True)))
        yield Record(moment, station_id.encode(), value)


def _magnus(celsius: Floats) -> Floats:
    return np.asarray(17.62 * celsius / (243.12 + celsius))


def _tenths(values: Floats) -> Floats:
    # Adding zero turns -0.0 into 0.0.
    return np.round(values, 1) + 0.0
