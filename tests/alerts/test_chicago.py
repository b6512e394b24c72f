"""Real weather: alerts over Chicago's extreme days against the file itself, read here with no code of the platform."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.alerts.rows import rules
from tests.rows import judged

from weahouse.alerts.alert import Alert
from weahouse.alerts.backtest import backtest
from weahouse.alerts.readings import Reading, trusted
from weahouse.alerts.rules import load_alert_rules
from weahouse.schemas.fields import VARIABLES, flag_of
from weahouse.settings import ROOT
from weahouse.sources import isd
from weahouse.sources.records import Record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FILE = ROOT / "data" / "isd-hourly-us5-2008-2014.csv.gz"
CHICAGO = "725300:94846"
# Two cold waves, the hottest and the windiest days, a cloudburst and the fastest fall of the pressure in seven years.
SPANS = [
    ("2009-01-12", "2009-01-19"),
    ("2009-12-08", "2009-12-11"),
    ("2010-09-06", "2010-09-09"),
    ("2011-07-21", "2011-07-25"),
    ("2012-07-03", "2012-07-08"),
    ("2013-11-16", "2013-11-19"),
    ("2014-01-04", "2014-01-09"),
]
TEMPERATURE, PRESSURE, SPEED, RAIN_CM = 5, 7, 9, 11
WINDY = rules(windy={"at_least": 16.0, "clear_below": 12.0, "quiet_min": 0}).rules


def hour(columns: list[str]) -> datetime:
    return datetime(*map(int, columns[1:5]), tzinfo=UTC)


def is_wanted(at: datetime) -> bool:
    return any(first <= f"{at:%Y-%m-%d}" < last for first, last in SPANS)


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    with gzip.open(FILE, "rt") as file:
        return [row for row in csv.reader(file) if row[0] == CHICAGO]


@pytest.fixture(scope="module")
def in_spans(lines: list[list[str]]) -> list[list[str]]:
    return [row for row in lines if is_wanted(hour(row))]


@pytest.fixture(scope="module")
def readings(spark: SparkSession, in_spans: list[list[str]], tmp_path_factory: pytest.TempPathFactory) -> list[Reading]:
    """The days through the adapter, the stream's parse and quality control."""
    file: Path = tmp_path_factory.mktemp("chicago") / "days.csv"
    file.write_text("\n".join(",".join(row) for row in in_spans))
    values = [record.value for record in isd.read(file) if isinstance(record, Record)]
    rows = judged(spark, *values, appended_at=datetime(2014, 12, 31, tzinfo=UTC))
    wanted = [column for variable in VARIABLES for column in (variable, flag_of(variable))]
    found = rows.select("observed_at", *wanted).orderBy("observed_at").collect()
    aware = (row.asDict() | {"observed_at": row["observed_at"].replace(tzinfo=UTC)} for row in found)
    return list(trusted(aware, VARIABLES))


@pytest.fixture(scope="module")
def alerts(readings: list[Reading]) -> list[Alert]:
    return backtest(load_alert_rules(), CHICAGO, "us-il", readings)


def of(alerts: list[Alert], rule: str) -> list[Alert]:
    return [alert for alert in alerts if alert.rule == rule]


def series(rows: list[list[str]], column: int) -> dict[datetime, float]:
    return {hour(row): float(row[column]) for row in rows}


def extreme(values: dict[datetime, float], sign: int) -> tuple[float, datetime]:
    at = max(values, key=lambda time: (sign * values[time], -time.timestamp()))
    return values[at], at


def test_the_days_hold_the_extremes_of_the_whole_file(lines: list[list[str]], in_spans: list[list[str]]):
    for column, sign in ((TEMPERATURE, -1), (TEMPERATURE, 1), (SPEED, 1), (RAIN_CM, 1)):
        assert extreme(series(lines, column), sign) == extreme(series(in_spans, column), sign)


def test_the_coldest_hour_is_the_peak_of_a_frost(alerts: list[Alert], in_spans: list[list[str]]):
    coldest = min(of(alerts, "frost"), key=lambda alert: alert.peak_value)
    assert (
        (coldest.peak_value, coldest.peak_at)
        == extreme(series(in_spans, TEMPERATURE), -1)
        == (-27.2, at("2009-01-16T11"))
    )


def test_every_frosty_hour_lies_in_a_frost_and_every_frost_begins_with_one(
    alerts: list[Alert], readings: list[Reading]
):
    celsius = {r.observed_at: r.values["air_temperature_c"] for r in readings if "air_temperature_c" in r.values}
    frosts = of(alerts, "frost")
    frosty = {time for time, value in celsius.items() if value < 0}
    assert len(frosty) > 200
    assert all(any(f.event_at <= time <= (f.cleared_at or time) for f in frosts) for time in frosty)
    assert {f.event_at for f in frosts} <= frosty
    assert all(celsius[f.cleared_at] > 1 for f in frosts if f.cleared_at in celsius)


def test_the_hottest_hour_is_the_peak_of_a_heat(alerts: list[Alert], in_spans: list[list[str]]):
    heats = of(alerts, "heat")
    hottest = max(heats, key=lambda alert: alert.peak_value)
    assert (
        (hottest.peak_value, hottest.peak_at)
        == extreme(series(in_spans, TEMPERATURE), 1)
        == (39.4, at("2012-07-05T19"))
    )
    celsius = series(in_spans, TEMPERATURE)
    an_hour = timedelta(hours=1)
    hot = {time for time, value in celsius.items() if value >= 35 and celsius.get(time - an_hour, 0) >= 35}
    assert {heat.event_at for heat in heats} <= hot
    assert {heat.event_at.date() for heat in heats} == {time.date() for time in hot if time - an_hour not in hot}


def test_the_cloudburst_is_a_heavy_rain(alerts: list[Alert], in_spans: list[list[str]]):
    [rain] = [alert for alert in of(alerts, "heavy_rain") if alert.event_at.year == 2011 and alert.event_at.day == 23]
    wettest_cm, wettest_at = extreme(series(in_spans, RAIN_CM), 1)
    assert (rain.peak_value, rain.peak_at) == (pytest.approx(wettest_cm * 10), wettest_at)
    over = [
        time for time, cm in series(in_spans, RAIN_CM).items() if cm * 10 >= 15 and f"{time:%Y-%m-%d}" == "2011-07-23"
    ]
    assert rain.event_at == min(over)


def test_the_pressure_fell_as_fast_as_the_file_says(alerts: list[Alert], in_spans: list[list[str]]):
    pressure = {time: hpa for time, hpa in series(in_spans, PRESSURE).items() if hpa != 0}

    def fall(time: datetime) -> float:
        before = (pressure.get(time - timedelta(hours=h)) for h in range(4))
        return max(hpa for hpa in before if hpa is not None) - pressure[time]

    falls = {time: round(fall(time), 1) for time in pressure}
    fastest = max(of(alerts, "rapid_pressure_fall"), key=lambda alert: alert.peak_value)
    assert (round(fastest.peak_value, 1), fastest.peak_at) == extreme(falls, 1) == (10.5, at("2009-12-09T05"))
    assert min(a.event_at for a in of(alerts, "rapid_pressure_fall")) == min(
        t for t, hpa in falls.items() if hpa >= 6.1
    )


def test_chicago_had_no_gale_and_its_windiest_hours_are_found(
    readings: list[Reading], alerts: list[Alert], in_spans: list[list[str]]
):
    speed = series(in_spans, SPEED)
    assert max(speed.values()) == 17.0
    assert of(alerts, "gale") == []
    found = backtest(type(load_alert_rules())("", WINDY), CHICAGO, "us-il", readings)
    assert {alert.event_at for alert in found} == set(begins(speed))
    assert max(alert.peak_value for alert in found) == 17.0
    assert {f"{alert.peak_at:%Y-%m-%dT%H}" for alert in found if alert.peak_value == 17.0} == {
        "2010-09-07T21",
        "2013-11-17T22",
    }


def begins(speed: dict[datetime, float]) -> Iterator[datetime]:
    """The hours of 16 m/s or more that no other comes before without an hour below 12 or a gap between."""
    is_on, before = False, None
    for time in sorted(speed):
        if before is not None and time - before > timedelta(minutes=150):
            is_on = False
        if speed[time] >= 16 and not is_on:
            yield time
        is_on = speed[time] >= 16 or (is_on and speed[time] >= 12)
        before = time


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00:00+00:00")
