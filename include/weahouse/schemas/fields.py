"""The dictionary of fields: each word of the platform once, with its type, unit, physical limits and meaning.

Names follow the CF conventions with the unit at the end. A dataset lists names; everything else is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass

STATION_ID_PATTERN = r"^[A-Za-z0-9._:\-]{1,64}$"
# What lies outside is no observation: one far ahead would move the watermark, and none of the stations is older.
EARLIEST_YEAR = 1900
MOST_MINUTES_AHEAD = 10
# Of a quality flag. What is bad or missing is in no average; what is missing need not have a value.
FLAG_VALUES = (1, 2, 3, 4, 9)
BAD_FLAG, MISSING_FLAG = 4, 9


@dataclass(frozen=True)
class Field:
    """One word: `type` is one of string, double, tinyint, int, bigint, boolean, date, timestamp, timestamps, binary."""

    type: str
    meaning: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    values: tuple[int | str, ...] = ()


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
    "observed_date": Field("date", "UTC day of observed_at"),
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

JUDGEMENT: dict[str, Field] = {
    "payload_hash": Field("bigint", "Hash over region and the nine measurements as sent; equal hash, equal reading"),
    # Orders what is written to Cassandra about one key: two records of it may have been appended in one millisecond.
    "revision": Field("int", "How many records of this station and time stood here before"),
    "tests_applied": Field("bigint", "Bit mask of the quality tests that were applied; bits in docs/reference"),
    "tests_failed": Field("bigint", "Bit mask of the quality tests that failed"),
    "quality_level": Field("tinyint", "Highest level of quality control reached: 1, 2 or 3", values=(1, 2, 3)),
    "rules_version": Field("string", "Content hash of the quality rules that judged the row"),
    # Null when on time, so that the Delta log's null counts tell how many rows are late without reading them.
    "late_by_s": Field(
        "bigint", "Seconds between observation and append where that exceeds the lateness, else null", "s"
    ),
    "reason": Field("string", "Why the record could not be read as an observation"),
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

UNIT: dict[str, Field] = {
    "offsets": Field("string", "JSON: by Kafka partition the first offset of the unit, and the one after its last"),
    "records": Field("bigint", "Kafka records of the unit, all of which Raw holds"),
    "quarantined": Field("bigint", "Records among them that cannot be read as an observation"),
    "readings": Field("bigint", "Stations and times that the others tell of"),
    "late": Field("bigint", "Readings that were appended late"),
    "corrected": Field("bigint", "Readings of which more than one record told, with other values"),
    "parity_compared": Field(
        "bigint", "Readings whose judgement was compared with the stream's: same rules, same registry"
    ),
    "parity_violations": Field("bigint", "Readings of which Curated holds something else than their records say"),
    "earliest_observed_at": Field("timestamp", "Earliest time of observation, UTC"),
    "latest_observed_at": Field("timestamp", "Latest time of observation, UTC"),
    "touched_hours": Field("timestamps", "Starts of the hours of observation in which a reading lies, UTC, in order"),
    "curated_version": Field("bigint", "Version of curated.observations that consumers of the unit read"),
    "curated_at": Field("timestamp", "When the unit was curated, or last changed, UTC"),
}

SUMMARY: dict[str, Field] = {
    "variable": Field("string", "Name of a measured variable"),
    "window_start": Field("timestamp", "Start of the 10-minute pane, UTC, inclusive"),
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

# Values of an alert are in the unit of the rule's variable, of a silence in minutes.
ALERT: dict[str, Field] = {
    "alert_id": Field("string", "Hash of rule, station and first window"),
    "month": Field("string", "UTC month of first_window, e.g. 2024-05"),
    "rule": Field("string", "Name of the rule"),
    "rule_version": Field("string", "Content hash of the rule"),
    "severity": Field("string", "minor, moderate, severe or extreme, as the Common Alerting Protocol has them"),
    "alert_state": Field("string", "raised, updated, cleared, acknowledged, withdrawn or historical"),
    "is_active": Field("boolean", "Whether the condition holds as far as is known"),
    "first_window": Field("timestamp", "Start of the 10-minute pane in which the condition was met first, UTC"),
    "last_window": Field("timestamp", "Start of the newest pane in which the condition held, UTC"),
    "event_at": Field("timestamp", "When the condition was met first: the time of the observation, UTC"),
    "run_started_at": Field("timestamp", "When it was met again after it had cleared within the quiet period, UTC"),
    "cleared_at": Field("timestamp", "When the condition ended, UTC"),
    "trigger_value": Field("double", "Value with which the condition was met first"),
    "peak_value": Field("double", "Most extreme value while the condition held"),
    "peak_at": Field("timestamp", "When it was observed, UTC"),
    "limit_value": Field("double", "Limit that the rule sets"),
    "raised_at": Field("timestamp", "Broker time at which the alert was found, UTC"),
    "detection_delay_s": Field("double", "raised_at - event_at", "s"),
    "alert_revision": Field("int", "Grows with each change that the stream publishes"),
    "superseded_by": Field("string", "The alert that took this one's place when late data moved its beginning"),
    "acknowledged_by": Field("string", "Who has taken note"),
    "acknowledged_at": Field("timestamp", "When it was taken note of, UTC"),
    "acknowledgement_note": Field("string", "What was noted"),
}

GROUPS = (IDENTITY, MEASUREMENTS, FLAGS, RECORD, GAP, JUDGEMENT, STATION, UNIT, SUMMARY, ALERT)
FIELDS: dict[str, Field] = {name: field for group in GROUPS for name, field in group.items()}
