"""What is known of a station at a full hour t: everything is of hours that have ended by t."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.ml.errors import FeatureSchemaError
from weahouse.ml.hours import HOUR_S, by_hour, good, number_of, rained
from weahouse.schemas.fields import FEATURES, LAGS_H, LEADS_WITHIN_A_DAY_H, LEVELS
from weahouse.schemas.gold import GOLD_STATION_FEATURES
from weahouse.schemas.render import to_spark

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

DAY_H = 24
# How many hours before issued_at a feature looks at: now, and 24 h before it.
HISTORY_H = DAY_H + 1
_OWN_PRESSURE, _SEA_LEVEL_PRESSURE = "air_pressure_hpa", "air_pressure_at_sea_level_hpa"
_OBLIQUITY_DEG = 23.44
_TROPICAL_YEAR_DAYS = 365.2422
# From the winter solstice to the new year.
_SOLSTICE_DAYS = 10


def station_features(hourly: DataFrame, stations: DataFrame) -> DataFrame:
    """`gold.station_features` of all hours of `gold.hourly_summaries` that are given, one row each.

    The first `HISTORY_H` hours given know less than the table would. `stations`: station_id, latitude_deg,
    longitude_deg; where a station has no row there, its solar elevations are null.
    """
    places = F.broadcast(stations.select("station_id", "latitude_deg", "longitude_deg"))
    known = _with_past(_good_hours(hourly)).join(places, "station_id", "left")
    issued_at = F.timestamp_seconds((F.col("hour") + 1) * HOUR_S)
    timed = known.withColumns({"issued_at": issued_at, "issued_date": F.to_date(issued_at)})
    columns = _levels() | _changes() | _wind() | _rain() | _latest() | _yesterday() | _season() | _sun()
    features = [columns[name].cast("double").alias(name) for name in FEATURES]
    return timed.select("station_id", "issued_at", "issued_date", *features)


def check_features(features: DataFrame) -> None:
    """Raise FeatureSchemaError where a table does not have the columns of `gold.station_features` with their types."""
    found = {field.name: field.dataType.simpleString() for field in features.schema}
    wanted = {field.name: field.dataType.simpleString() for field in to_spark(GOLD_STATION_FEATURES)}
    wrong = [
        f"{name} is {found.get(name, 'missing')} instead of {kind}"
        for name, kind in wanted.items()
        if found.get(name) != kind
    ]
    if wrong:
        raise FeatureSchemaError(
            f"{GOLD_STATION_FEATURES.name} has drifted ({wrong[0]}, {len(wrong)} in all): delete it and build it again "
            "with spark_apps/build_station_features.py"
        )


def schema_hash() -> str:
    """A hash of the names and types of all features; a model is used with those alone that it was trained with."""
    text = ",".join(f"{name}:{field.type}" for name, field in FEATURES.items())
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _good_hours(hourly: DataFrame) -> DataFrame:
    """One row per station and hour with `now`, a structure of its good values."""
    variables = (*LEVELS, _OWN_PRESSURE)
    # A speed without a usable direction has no vector; the summaries' resultant is null there.
    is_wind_good = good("wind_speed_mps").isNotNull() & (F.col("wind_from_direction_deg_suspect_count") == 0)
    speed, radians = F.col("resultant_wind_speed_mps"), F.radians("resultant_wind_from_direction_deg")
    # The resultant of nothing but calms has no direction and is a zero vector.
    vectors = {"from_east": F.sin(radians), "from_north": F.cos(radians)}
    parts = [
        F.when(is_wind_good, F.when(speed == 0, 0.0).otherwise(speed * share)).alias(name)
        for name, share in vectors.items()
    ]
    rain = good("precipitation_mm", "sum").alias("rain_mm")
    now = F.struct(*[good(variable).alias(variable) for variable in variables], *parts, rain).alias("now")
    return hourly.select("station_id", number_of("window_start").alias("hour"), now)


def _with_past(hours: DataFrame) -> DataFrame:
    """The hours with `ago_<h>`, the good values of the hour that was so many hours earlier, and sums of rain."""
    station = by_hour()
    looks_back_h = {*LAGS_H, *(DAY_H - lead for lead in LEADS_WITHIN_A_DAY_H)}
    # The frame is one hour long and an hour has one row, so that there is no choice.
    ago = {f"ago_{lag}": F.first("now").over(station.rangeBetween(-lag, -lag)) for lag in looks_back_h}
    rain = {f"rain_{lag}": F.sum("now.rain_mm").over(station.rangeBetween(1 - lag, 0)) for lag in LAGS_H}
    temperature = F.col("now.air_temperature_c")
    newest = F.max(F.when(temperature.isNotNull(), F.struct("hour", temperature.alias("value"))))
    latest = {"latest": newest.over(station.rangeBetween(1 - DAY_H, 0)), "rained": rained("now.rain_mm", station)}
    return hours.withColumns(ago | rain | latest)


def _levels() -> dict[str, Column]:
    return {f"{variable}_now": F.col(f"now.{variable}") for variable in LEVELS}


def _changes() -> dict[str, Column]:
    return {f"{variable}_change_{lag}h": _change(variable, lag) for variable in LEVELS for lag in LAGS_H}


def _change(variable: str, lag_h: int) -> Column:
    change = F.col(f"now.{variable}") - F.col(f"ago_{lag_h}.{variable}")
    if variable != _SEA_LEVEL_PRESSURE:
        return change
    # A station that reports its own pressure alone has a tendency too; the two are never mixed within one.
    return F.coalesce(change, F.col(f"now.{_OWN_PRESSURE}") - F.col(f"ago_{lag_h}.{_OWN_PRESSURE}"))


def _wind() -> dict[str, Column]:
    return {"wind_from_east_mps_now": F.col("now.from_east"), "wind_from_north_mps_now": F.col("now.from_north")}


def _rain() -> dict[str, Column]:
    return {f"precipitation_mm_past_{lag}h": F.col(f"rain_{lag}") for lag in LAGS_H} | {"rain_past_3h": F.col("rained")}


def _latest() -> dict[str, Column]:
    return {
        "air_temperature_c_latest": F.col("latest.value"),
        "air_temperature_age_h": F.col("hour") - F.col("latest.hour"),
    }


def _yesterday() -> dict[str, Column]:
    before = F.col(f"ago_{DAY_H}.air_temperature_c")
    return {
        f"air_temperature_c_yesterday_{lead}h": F.col(f"ago_{DAY_H - lead}.air_temperature_c") - before
        for lead in LEADS_WITHIN_A_DAY_H
    }


def _season() -> dict[str, Column]:
    day, year = (2 * math.pi * share for share in (F.hour("issued_at") / DAY_H, _days() / _TROPICAL_YEAR_DAYS))
    return {"hour_sine": F.sin(day), "hour_cosine": F.cos(day), "year_sine": F.sin(year), "year_cosine": F.cos(year)}


def _sun() -> dict[str, Column]:
    later = {f"solar_elevation_deg_{lead}h": _solar_elevation_deg(lead) for lead in LEADS_WITHIN_A_DAY_H}
    return {"solar_elevation_deg": _solar_elevation_deg(0)} | later


def _solar_elevation_deg(lead_h: int) -> Column:
    """Height of the sun, good to some 4 degrees: the equation of time, up to 16 minutes, is left out."""
    declination = F.radians(-_OBLIQUITY_DEG * F.cos(2 * math.pi * (_days() + _SOLSTICE_DAYS) / _TROPICAL_YEAR_DAYS))
    from_noon = F.radians(15 * (F.hour("issued_at") + lead_h - 12) + F.col("longitude_deg"))
    latitude = F.radians("latitude_deg")
    sine = F.sin(latitude) * F.sin(declination) + F.cos(latitude) * F.cos(declination) * F.cos(from_noon)
    # Rounding may lead beyond 1, where the arc sine has no value; least and greatest would make a number of a null.
    within = F.least(F.lit(1.0), F.greatest(F.lit(-1.0), sine))
    return F.when(sine.isNotNull(), F.degrees(F.asin(within)))


def _days() -> Column:
    return F.dayofyear("issued_at") - 1 + F.hour("issued_at") / DAY_H
