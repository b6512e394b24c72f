"""The dictionary of fields: each word of the platform once, with its type, unit, physical limits and meaning.

Names follow the CF conventions with the unit at the end. A dataset lists names; everything else is rendered.
"""

from __future__ import annotations

from dataclasses import replace

from weahouse.schemas.alerts import ALERT
from weahouse.schemas.forecasts import FORECAST, MODEL
from weahouse.schemas.judgement import JUDGEMENT, SERVED_JUDGEMENT, TRUST
from weahouse.schemas.kinds import Field
from weahouse.schemas.ledgers import BACKFILL, PROOF, SOURCE, UNIT

STATION_ID_PATTERN = r"^[A-Za-z0-9._:\-]{1,64}$"
# What lies outside is no observation: one far ahead would move the watermark, and none of the stations is older.
EARLIEST_YEAR = 1900
MOST_MINUTES_AHEAD = 10
# Of a quality flag. What is bad or missing is in no average; what is missing need not have a value.
FLAG_NAMES = {1: "good", 2: "not_evaluated", 3: "suspect", 4: "bad", 9: "missing"}
FLAG_VALUES = tuple(FLAG_NAMES)
BAD_FLAG, MISSING_FLAG = 4, 9


# The physical limits are the outer ("bad") pair of quality control; the tests' own thresholds stand in qc/rules.yaml.
MEASUREMENTS: dict[str, Field] = {
    "air_temperature_c": Field("double", "Air temperature at 2 m", "degC", -80.0, 60.0),
    "dew_point_c": Field("double", "Dew point temperature at 2 m", "degC", -80.0, 35.0),
    "relative_humidity_pct": Field("double", "Relative humidity at 2 m", "%", 0.0, 100.0),
    "air_pressure_hpa": Field("double", "Air pressure at the height of the station", "hPa", 500.0, 1100.0),
    "air_pressure_at_sea_level_hpa": Field("double", "Air pressure reduced to mean sea level", "hPa", 846.0, 1100.0),
    "wind_speed_mps": Field("double", "Mean wind speed at 10 m", "m s-1", 0.0, 75.0),
    "wind_gust_mps": Field("double", "Highest gust since the previous report, at 10 m", "m s-1", 0.0, 128.3),
    "wind_from_direction_deg": Field(
        "double", "Direction the wind blows from, clockwise from north", "degree", 0.0, 360.0
    ),
    "precipitation_mm": Field("double", "Amount of precipitation since the previous report", "mm", 0.0, 1117.6),
}
VARIABLES = tuple(MEASUREMENTS)


def flag_of(variable: str) -> str:
    """The name of a variable's quality flag."""
    return f"{variable}_flag"


FLAGS: dict[str, Field] = {
    flag_of(variable): Field(
        "tinyint",
        f"Quality flag of {variable}: 1 good, 2 not evaluated, 3 suspect, 4 bad, 9 missing",
        values=FLAG_VALUES,
    )
    for variable in VARIABLES
}

IDENTITY: dict[str, Field] = {
    "station_id": Field("string", "Identifier of the station", pattern=STATION_ID_PATTERN),
    "region": Field("string", "Country and state, lower case, e.g. us-ca", pattern=STATION_ID_PATTERN),
    "observed_at": Field("timestamp", "When the station observed, UTC, to the second"),
    "observed_date": Field("date", "UTC day of the observation, or of what is summarised"),
    "observed_month": Field("string", "UTC month of observed_date, e.g. 2024-05"),
    "ingested_at": Field("timestamp", "When the broker appended the record, UTC"),
    "ingest_hour": Field("string", "UTC hour of ingested_at, e.g. 2024-05-01T13"),
    "day": Field("date", "UTC day of the observation or window"),
}

RECORD: dict[str, Field] = {
    "key": Field("binary", "Kafka key, verbatim"),
    "value": Field("binary", "Kafka value, verbatim"),
    "topic": Field("string", "Kafka topic"),
    "partition": Field("int", "Kafka partition"),
    "offset": Field("bigint", "Kafka offset within the partition"),
    "timestamp": Field("timestamp", "Kafka timestamp: the broker's append time, UTC"),
    "headers": Field("headers", "Kafka headers, in order"),
    "kafka_partition": Field("int", "Kafka partition of the record that this row holds"),
    "kafka_offset": Field("bigint", "Kafka offset of the record that this row holds"),
}

GAP: dict[str, Field] = {
    "topic_id": Field("string", "Kafka's id of the topic; a topic that is deleted and created again has another one"),
    "from_offset": Field("bigint", "First lost offset"),
    "to_offset": Field("bigint", "Offset after the last lost one; empty where the deleted topic's end is unknown"),
    "cause": Field("string", "Why the records are lost: topic_recreated or offsets_expired"),
    "noticed_at": Field("timestamp", "When the rebuild noticed, UTC"),
    "last_ingested_at": Field("timestamp", "Append time of the newest record that Raw held of the partition by then"),
}

STATION: dict[str, Field] = {
    "station_name": Field("string", "Name of the station"),
    "country": Field("string", "Country code of the source's list"),
    "state": Field("string", "State or province, where the source gives one"),
    "call_sign": Field("string", "ICAO call sign"),
    "latitude_deg": Field("double", "Latitude, positive north", "degree", -90.0, 90.0),
    "longitude_deg": Field("double", "Longitude, positive east", "degree", -180.0, 180.0),
    "elevation_m": Field("double", "Height above mean sea level", "m", -500.0, 9000.0),
    "registry": Field(
        "string",
        "Where the station's row comes from: isd, simulator or observed",
        values=("isd", "simulator", "observed"),
    ),
    "registered_at": Field("timestamp", "When the station's row was written or last changed, UTC"),
}

SUMMARY: dict[str, Field] = {
    "variable": Field("string", "Name of a measured variable"),
    "window_start": Field("timestamp", "Start of the window, a 10-minute pane, an hour or a day, UTC, inclusive"),
    "measured_value": Field("double", "Latest value of the variable, in the variable's unit"),
    "flag": Field("tinyint", "Quality flag of the value", values=FLAG_VALUES),
    "value_count": Field("bigint", "Values that are not flagged bad or missing"),
    "suspect_count": Field("bigint", "Values among them that are flagged suspect"),
    "value_sum": Field("double", "Sum of the values, in the variable's unit"),
    "value_min": Field("double", "Least value"),
    "value_max": Field("double", "Greatest value"),
    "value_squared_deviations": Field("double", "Sum of the squared deviations from the pane's mean"),
    # The wind's vectors point to where it comes from, as its direction does; CF's eastward_wind has the other sign.
    "vector_count": Field("bigint", "Wind only: vectors in the two sums; for speed, where the direction is usable too"),
    "eastward_sum": Field("double", "Wind only: sum of eastward parts, of unit vectors for direction, else of m s-1"),
    "northward_sum": Field("double", "Wind only: sum of northward parts, of unit vectors for direction, else of m s-1"),
}


def pane_of(variable: str) -> str:
    """The column of a variable's pane."""
    return f"{variable}_pane"


def latest_of(variable: str) -> str:
    """The column of a variable's latest value."""
    return f"{variable}_latest_value"


PANES: dict[str, Field] = {
    pane_of(variable): Field("pane", f"What the values of {variable} in the window come to; null where it has none")
    for variable in MEASUREMENTS
}
LATEST: dict[str, Field] = {
    latest_of(variable): Field("latest_value", f"The newest value of {variable}; missing where it was withdrawn")
    for variable in MEASUREMENTS
}

# The unit of what is told of a variable where that is the variable's.
_OWN = "own"
_COUNTS = {
    "count": Field("bigint", "Values of {} that are not flagged bad or missing"),
    "suspect_count": Field("bigint", "Values of {} among them that are flagged suspect"),
}
_SCALAR = _COUNTS | {
    "mean": Field("double", "Mean of {}", _OWN),
    "min": Field("double", "Least {}", _OWN),
    "max": Field("double", "Greatest {}", _OWN),
    "stddev": Field("double", "Standard deviation of {} (n - 1); empty for fewer than two values", _OWN),
}
_ANGLE = _COUNTS | {
    "mean": Field("double", "Angle of the mean unit vector of {}; empty where the vectors cancel", _OWN),
    "steadiness": Field("double", "Length of the mean unit vector of {}: 1 constant, 0 from everywhere", "1", 0, 1),
}
_AMOUNT = _SCALAR | {"sum": Field("double", "Sum of {}", _OWN)}
_HOURS = {"hours": Field("int", "Hours of the day in which {} has a value not flagged bad or missing", "h", 0, 24)}
_EXTREMES_AT = {
    "min_at": Field("timestamp", "When the least {} was observed first, UTC"),
    "max_at": Field("timestamp", "When the greatest {} was observed first, UTC"),
}
# By the variable's unit: an angle has neither extremes nor a spread, and only amounts have a sum.
_OF_AN_HOUR: dict[str | None, dict[str, Field]] = {"degree": _ANGLE, "mm": _AMOUNT}
_MORE_OF_A_DAY: dict[str | None, dict[str, Field]] = {"degree": _HOURS}


def statistic_of(variable: str, statistic: str) -> str:
    """The name of a statistic of a variable in Gold, e.g. air_temperature_c_mean."""
    return f"{variable}_{statistic}"


def _told_of(variable: str, statistics: dict[str, Field]) -> dict[str, Field]:
    unit = MEASUREMENTS[variable].unit
    return {
        statistic_of(variable, name): replace(
            field, meaning=field.meaning.format(variable), unit=unit if field.unit == _OWN else field.unit
        )
        for name, field in statistics.items()
    }


HOURLY_STATISTICS: dict[str, Field] = {
    name: told
    for variable, field in MEASUREMENTS.items()
    for name, told in _told_of(variable, _OF_AN_HOUR.get(field.unit, _SCALAR)).items()
}
DAILY_STATISTICS: dict[str, Field] = {
    name: told
    for variable, field in MEASUREMENTS.items()
    for name, told in _told_of(
        variable, _OF_AN_HOUR.get(field.unit, _SCALAR) | _MORE_OF_A_DAY.get(field.unit, _EXTREMES_AT | _HOURS)
    ).items()
}
GOLD_SUMMARY: dict[str, Field] = {
    "report_count": Field("bigint", "Observations of the station in the window, whatever their flags"),
    **DAILY_STATISTICS,
    # A calm is a vector of no length; a speed without a usable direction is none.
    "resultant_wind_count": Field("bigint", "Observed wind vectors in the resultant wind"),
    "resultant_wind_speed_mps": Field("double", "Length of the mean wind vector", "m s-1"),
    "resultant_wind_from_direction_deg": Field(
        "double", "Direction the mean wind vector comes from; empty where the vectors cancel", "degree"
    ),
    "completeness": Field(
        "double", "Share of the day's 24 hours in which any variable has a value not flagged bad or missing", "1", 0, 1
    ),
}

# Hours before "now", the hour that ends at a forecast's reference time, with which models compare it.
LAGS_H = (1, 3, 6, 24)
# Lead times within a day, for which yesterday shows what the coming hours bring.
LEADS_WITHIN_A_DAY_H = (1, 3, 6)
# Variables that every feature is made of, beside the wind's direction and rain.
LEVELS = (
    "air_temperature_c",
    "dew_point_c",
    "relative_humidity_pct",
    "air_pressure_at_sea_level_hpa",
    "wind_speed_mps",
)


def _level_features(variable: str) -> dict[str, Field]:
    unit = MEASUREMENTS[variable].unit
    now = {f"{variable}_now": Field("double", f"Mean of {variable} in the hour before issued_at", unit)}
    return now | {
        f"{variable}_change_{lag}h": Field("double", f"Its change since the hour that ended {lag} h earlier", unit)
        for lag in LAGS_H
    }


# Values flagged suspect, bad or missing are in none of them.
FEATURES: dict[str, Field] = {
    **{name: field for variable in LEVELS for name, field in _level_features(variable).items()},
    "wind_from_east_mps_now": Field("double", "Eastward part of the vector to where the wind comes from", "m s-1"),
    "wind_from_north_mps_now": Field("double", "Northward part of the vector to where the wind comes from", "m s-1"),
    **{
        f"precipitation_mm_past_{lag}h": Field("double", f"Sum of precipitation_mm in the {lag} h before", "mm")
        for lag in LAGS_H
    },
    "rain_past_3h": Field(
        "double", "1 where the three hours before had at least 0.1 mm, 0 where not; all must be told"
    ),
    "air_temperature_c_latest": Field("double", "Newest good hourly mean of the last 24 h", "degC"),
    "air_temperature_age_h": Field("double", "How many hours before now the hour of air_temperature_c_latest is", "h"),
    **{
        f"air_temperature_c_yesterday_{lead}h": Field(
            "double", f"How the temperature changed in the {lead} h that followed this time of day yesterday", "degC"
        )
        for lead in LEADS_WITHIN_A_DAY_H
    },
    "hour_sine": Field("double", "Sine of issued_at's UTC time of day as an angle", "1"),
    "hour_cosine": Field("double", "Cosine of issued_at's UTC time of day as an angle", "1"),
    "year_sine": Field("double", "Sine of issued_at's day of the year as an angle", "1"),
    "year_cosine": Field("double", "Cosine of issued_at's day of the year as an angle", "1"),
    "solar_elevation_deg": Field("double", "Height of the sun above the horizon at issued_at, by astronomy", "degree"),
    **{
        f"solar_elevation_deg_{lead}h": Field("double", f"The same {lead} h later", "degree")
        for lead in LEADS_WITHIN_A_DAY_H
    },
}

GROUPS = (
    IDENTITY,
    MEASUREMENTS,
    FLAGS,
    RECORD,
    GAP,
    JUDGEMENT,
    TRUST,
    SERVED_JUDGEMENT,
    STATION,
    UNIT,
    SOURCE,
    PROOF,
    BACKFILL,
    SUMMARY,
    PANES,
    LATEST,
    GOLD_SUMMARY,
    ALERT,
    FEATURES,
    FORECAST,
    MODEL,
)
FIELDS: dict[str, Field] = {name: field for group in GROUPS for name, field in group.items()}
