"""The simulated weather: fields over place and time, each a pure function of (seed, place, time).

Fronts run over the continent from west to east every few days. Seen from a station, a front is the number of hours
since it passed; pressure falls ahead of it, the wind veers and the temperature drops with it, and rain follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from weahouse.sources.randomness import smooth, uniform

if TYPE_CHECKING:
    from weahouse.sources.network import Network

Floats = NDArray[np.float64]

HOUR_S = 3600.0
DAY_S = 86_400.0
_YEAR_S = 365.2425 * DAY_S
_LAPSE_C_PER_M = 0.0065
# A front every four days; the three on either side cover the hours that one needs across the continent.
_FRONT_PERIOD_S = 4 * DAY_S
_NEAR_FRONTS = range(-3, 4)

_FRONT, _WAVE, _GUSTINESS, _BREEZE, _VEERING, _SHOWER, _DRYNESS = range(100, 107)


@dataclass(frozen=True)
class Weather:
    """Fields at stations and times: degC, hPa at sea level, m/s, degrees clockwise from north, mm/h, degC."""

    temperature: Floats
    dew_point: Floats
    sea_level_pressure: Floats
    wind_speed: Floats
    wind_direction: Floats
    rain_rate: Floats


@dataclass
class _Fronts:
    """What the fronts add to the undisturbed weather."""

    temperature: Floats
    pressure: Floats
    wind: Floats
    veering: Floats
    rain: Floats
    drying: Floats


def weather(network: Network, station: NDArray[np.int64], at: Floats) -> Weather:
    """The weather at stations (their numbers) and times (epoch seconds), arrays of one length."""
    seed = network.seed
    fronts = _fronts(network, station, at)
    latitude, elevation = network.latitude[station], network.elevation[station]
    season, sun = _season(at), _sun(at, network.longitude[station])
    cloud = np.clip(fronts.rain / 2.0, 0.0, 1.0)
    mildness = 29.0 - 0.75 * (latitude - 25.0)
    temperature = (
        mildness
        + season * (2.0 + 0.45 * (latitude - 25.0))
        + sun * 5.5 * (1.0 - 0.7 * cloud)
        + 3.0 * _waves(network, station, at, 0)
        + fronts.temperature
        - _LAPSE_C_PER_M * elevation
    )
    dryness = 5.0 + 3.5 * sun + 2.5 * smooth(7 * HOUR_S, at, seed, station, _DRYNESS) + fronts.drying
    depression = np.maximum(dryness * (1.0 - cloud), 0.2)
    pressure = (
        1015.5
        + 4.0 * _waves(network, station, at, 1)
        # The atmosphere's tide has two crests a day, near 10 and 22 hours of local time.
        + 0.8 * np.cos(4.0 * np.pi * (at / DAY_S + network.longitude[station] / 360.0 - 10.0 / 24.0))
        + fronts.pressure
    )
    breeze = 2.6 + 1.6 * sun + 2.4 * smooth(5 * HOUR_S, at, seed, station, _BREEZE)
    turbulence = np.exp(0.25 * smooth(600.0, at, seed, station, _GUSTINESS))
    direction = 210.0 + 70.0 * _waves(network, station, at, 2) + fronts.veering
    direction += 12.0 * smooth(900.0, at, seed, station, _VEERING)
    return Weather(
        temperature=temperature,
        dew_point=temperature - depression,
        sea_level_pressure=pressure,
        wind_speed=np.maximum(breeze, 0.0) * turbulence + fronts.wind * turbulence,
        wind_direction=direction % 360.0,
        rain_rate=np.maximum(fronts.rain * (1.0 + 0.8 * smooth(1800.0, at, seed, station, _SHOWER)) - 0.1, 0.0),
    )


def hours_since_front(network: Network, station: NDArray[np.int64], at: Floats, front: NDArray[np.int64]) -> Floats:
    """Hours since a front (its number) passed the stations, negative before."""
    seed = network.seed
    jitter, bearing, pace = (uniform(seed, _FRONT, front, part) for part in range(3))
    # Towards the east, 35 degrees to either side, at 30 to 55 km/h.
    towards = np.radians(90.0 + 35.0 * (2.0 * bearing - 1.0))
    speed = 30.0 + 25.0 * pace
    origin = (front + 0.5 * (jitter - 0.5)) * _FRONT_PERIOD_S
    along = network.east_km[station] * np.sin(towards) + network.north_km[station] * np.cos(towards)
    return np.asarray((at - origin) / HOUR_S - along / speed)


def _fronts(network: Network, station: NDArray[np.int64], at: Floats) -> _Fronts:
    nothing = np.zeros(len(at))
    sum_of = _Fronts(*(nothing.copy() for _ in range(6)))
    current = np.floor(at / _FRONT_PERIOD_S).astype(np.int64)
    for offset in _NEAR_FRONTS:
        front = current + offset
        hours = hours_since_front(network, station, at, front)
        strength = 0.5 + uniform(network.seed, _FRONT, front, 3)
        # Half an hour wide: a front is a line, but a thermometer needs its time.
        passed = 1.0 / (1.0 + np.exp(np.clip(-hours / 0.25, -60.0, 60.0)))
        ahead, behind = np.maximum(-hours, 0.0), np.maximum(hours, 0.0)
        sum_of.temperature += strength * (
            2.5 * np.exp(-ahead / 14.0) * (1.0 - passed) - 7.0 * np.exp(-behind / 30.0) * passed
        )
        sum_of.pressure += strength * (-9.0 * np.exp(-ahead / 10.0 - behind / 5.0))
        sum_of.pressure += strength * 4.0 * (1.0 - np.exp(-behind / 8.0)) * np.exp(-behind / 36.0)
        sum_of.wind += strength * 6.0 * np.exp(-(ahead + behind) / 5.0)
        sum_of.veering += 90.0 * passed * np.exp(-behind / 30.0)
        sum_of.rain += strength * 5.0 * np.exp(-(((hours - 1.5) / 1.2) ** 2))
        sum_of.drying += strength * 4.0 * passed * (1.0 - np.exp(-behind / 6.0)) * np.exp(-behind / 30.0)
    return sum_of


def _season(at: Floats) -> Floats:
    """-1 in mid-January, 1 in mid-July."""
    return np.asarray(-np.cos(2.0 * np.pi * (at / _YEAR_S - 15.0 / 365.0)))


def _sun(at: Floats, longitude: Floats) -> Floats:
    """The day's warmth: 1 at 15 hours of local solar time, -1 at 3 hours."""
    return np.asarray(np.cos(2.0 * np.pi * (at / DAY_S + longitude / 360.0 - 15.0 / 24.0)))


def _waves(network: Network, station: NDArray[np.int64], at: Floats, field: int) -> Floats:
    """Smooth weather of thousands of km and days, in about [-1, 1], which neighbours share."""
    total = np.zeros(len(at))
    for wave in range(3):
        phase, length, period = (float(uniform(network.seed, _WAVE, field, wave, part)[()]) for part in range(3))
        wavelength, days = 2500.0 + 2500.0 * length, 3.0 + 5.0 * period
        where = (network.east_km[station] + 0.4 * (wave - 1) * network.north_km[station]) / wavelength
        total += np.sin(2.0 * np.pi * (where - at / (days * DAY_S) + phase))
    return total / 3.0
