"""From Kafka records to observations: what can be read is typed, what cannot has a reason.

Raw rows and Kafka records have the same columns, so stream, replay and recompute call the same functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.fields import EARLIEST_YEAR, MOST_MINUTES_AHEAD, STATION_ID_PATTERN, VARIABLES
from weahouse.schemas.render import event_to_spark

if TYPE_CHECKING:
    from datetime import timedelta

    from pyspark.sql import Column, DataFrame

# RFC 3339: a zone is required, because a time without one would be read in whatever zone the reader happens to be in.
_RFC3339 = r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$"


def parse(records: DataFrame) -> DataFrame:
    """Add the event's members to Kafka records, and `reason`: null where the record is an observation.

    Shape: the record columns, then station_id, region, observed_at (UTC, to the second), the nine measurements
    (null when missing), payload_hash, reason. Pure; one row in, one row out.
    """
    # The value is wrapped into an array, because Spark stops reading at the end of the first object and would
    # accept what follows it. The generator (inline of one element) keeps Spark from pushing the checks below the
    # parse and parsing each record several times.
    wrapped = "'{\"e\":[' || cast(value as string) || ']}'"
    schema = f"e array<{event_to_spark().simpleString()}>, _corrupt string"
    options = (
        "map('allowNonNumericNumbers', 'false', 'allowSingleQuotes', 'false', 'columnNameOfCorruptRecord', '_corrupt')"
    )
    read = records.selectExpr("*", f"inline(array(from_json({wrapped}, '{schema}', {options})))")

    event = F.get(F.col("e"), F.lit(0))
    members = read.select(
        *records.columns,
        F.size("e").alias("_objects"),
        "_corrupt",
        event["station_id"].alias("station_id"),
        event["region"].alias("region"),
        event["observed_at"].alias("_observed_at"),
        _utc_second(event["observed_at"]).alias("observed_at"),
        *[event[variable].alias(variable) for variable in VARIABLES],
    )
    return members.select(
        *records.columns,
        "station_id",
        "region",
        "observed_at",
        *VARIABLES,
        payload_hash().alias("payload_hash"),
        _reason().alias("reason"),
    )


def observations(parsed: DataFrame, lateness: timedelta) -> DataFrame:
    """The rows of `parse` that are observations, with their coordinates, and `late_by_s` where they are late."""
    delay_s = F.unix_seconds("timestamp") - F.unix_seconds("observed_at")
    late = delay_s > F.lit(int(lateness.total_seconds()))
    return parsed.where(F.col("reason").isNull()).select(
        "station_id",
        "observed_at",
        F.to_date("observed_at").alias("observed_date"),
        F.col("timestamp").alias("ingested_at"),
        F.col("partition").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        "payload_hash",
        F.when(late, delay_s).alias("late_by_s"),
        "region",
        *VARIABLES,
    )


def ingest_hour() -> Column:
    """The UTC hour of the append, by which Raw and the quarantine are partitioned."""
    return F.date_format("timestamp", "yyyy-MM-dd'T'HH").alias("ingest_hour")


def payload_hash() -> Column:
    """A 64-bit hash over region and measurements; two records of one key with equal hashes say the same."""
    # Spark's hash skips nulls, so a value that moved to another column would go unseen without the null marks.
    marks = [F.col(variable).isNull() for variable in VARIABLES]
    return F.xxhash64(F.col("region"), *[F.col(variable) for variable in VARIABLES], *marks)


def _utc_second(text: Column) -> Column:
    readable = F.when(text.rlike(_RFC3339), F.upper(text))
    return F.date_trunc("second", readable.try_cast("timestamp"))


def _reason() -> Column:
    """The first of the checks that a record fails; null where it passes all of them."""
    value = F.col("value").cast("string")
    blank = F.trim(value) == ""
    # Evaluated for unreadable records only.
    valid_json = F.try_parse_json(value).isNotNull()
    is_object = F.ltrim(value).startswith("{")
    unreadable = F.col("_corrupt").isNotNull()
    ahead_s = F.unix_seconds("observed_at") - F.unix_seconds("timestamp")
    checks = [
        (F.col("value").isNull(), "value is null"),
        (blank, "value is empty"),
        (~F.is_valid_utf8(value), "value is not UTF-8"),
        (~is_object & valid_json, "value is not a JSON object"),
        (unreadable & F.col("_objects").isNull(), "value is not valid JSON"),
        (unreadable, "a member has another type than the contract gives it"),
        (F.col("_objects") != 1, "value holds more than one JSON object"),
        (F.col("station_id").isNull(), "station_id is missing"),
        (~F.col("station_id").rlike(STATION_ID_PATTERN), "station_id has characters or a length that are not allowed"),
        (F.col("region").isNull(), "region is missing"),
        (~F.col("region").rlike(STATION_ID_PATTERN), "region has characters or a length that are not allowed"),
        (F.col("_observed_at").isNull(), "observed_at is missing"),
        (F.col("observed_at").isNull(), "observed_at is not an RFC 3339 time with a zone"),
        (F.year("observed_at") < EARLIEST_YEAR, f"observed_at is before {EARLIEST_YEAR}"),
        (
            ahead_s > MOST_MINUTES_AHEAD * 60,
            f"observed_at is more than {MOST_MINUTES_AHEAD} minutes ahead of the broker's time",
        ),
        *[
            (F.col(variable).isin(float("inf"), float("-inf")), f"{variable} is not a finite number")
            for variable in VARIABLES
        ],
    ]
    return F.coalesce(*[F.when(failed, F.lit(reason)) for failed, reason in checks])
