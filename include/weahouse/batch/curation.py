"""Curation of one hour of append time: its records are parsed and judged again, and compared with the stream's rows.

Then all that they touch is judged by levels 2 and 3.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from weahouse.batch.judging import JOB
from weahouse.batch.judging import judge as judge_deeper
from weahouse.batch.serving import serve_verdicts
from weahouse.batch.units import record_unit
from weahouse.batch.writer import Writer
from weahouse.io.delta import read_table, version_of
from weahouse.io.hdfs import Hdfs
from weahouse.qc.level1 import judge
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, RAW_OBSERVATIONS, RECORD_COLUMNS
from weahouse.streaming.extent import extent_of
from weahouse.streaming.registry import Registry
from weahouse.transforms.incarnations import is_before
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.parity import compare
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.batch.units import Unit
    from weahouse.settings import Settings

_EXAMPLES = 10


def curate(
    spark: SparkSession,
    settings: Settings,
    ingest_hour: str,
    until: Mapping[int, int] | None = None,
    writer: Writer | None = None,
) -> tuple[Unit, list[dict[str, Any]]]:
    """Curate the unit of an hour such as 2024-05-01T13 and record it; repeating it changes nothing.

    Every query must have committed the hour's records; of an hour that is open those before the offsets `until`, by
    partition, are the unit. Returns the ledger's row, and up to ten violations of parity. Raises FencedError where a
    newer run has written a table meanwhile.
    """
    curated_version = version_of(spark, settings, CURATED_OBSERVATIONS)
    parsed = parse(_records(spark, settings, ingest_hour, until)).persist()
    newest = newest_of_each_key(observations(parsed, settings.lateness))
    rules = load_rules()
    judged = judge(Registry(settings, Hdfs(settings)).with_region(newest), rules).persist()
    compared = _compared(spark, settings, judged, curated_version).persist()
    writer = writer or Writer.on_hdfs(settings, JOB)
    deeper = judge_deeper(spark, settings, judged, curated_version, rules, writer)
    serve_verdicts(spark, settings, deeper.judged, writer)
    unit = {
        "ingest_hour": ingest_hour,
        **_of_records(parsed),
        **_of_readings(compared),
        "deepened": deeper.deepened,
        "rules_version": rules.version,
        "curated_version": curated_version,
        "verdicts_version": deeper.verdicts_version,
        "curated_at": datetime.now(UTC),
    }
    unit["touched_hours"] = sorted({*unit["touched_hours"], *deeper.hours})
    examples = _examples(compared) if unit["parity_violations"] else []
    for kept in (compared, judged, parsed):
        kept.unpersist()
    recorded = record_unit(settings, unit)
    deeper.keep_trust()
    return recorded, examples


def _records(spark: SparkSession, settings: Settings, ingest_hour: str, until: Mapping[int, int] | None) -> DataFrame:
    raw = read_table(spark, settings, RAW_OBSERVATIONS).where(F.col("ingest_hour") == ingest_hour)
    if until:
        # Raw is a query of its own: of what was appended since it may hold what Curated does not.
        raw = raw.where(is_before(until))
    return raw.select(*RECORD_COLUMNS)


def _compared(spark: SparkSession, settings: Settings, judged: DataFrame, version: int) -> DataFrame:
    extent = extent_of(judged)
    curated = read_table(spark, settings, CURATED_OBSERVATIONS, version)
    return compare(judged, curated.where(extent.bounds() if extent else F.lit(False)))


def _of_records(parsed: DataFrame) -> Unit:
    of_partition = (F.min("offset").alias("first"), F.max("offset").alias("last"), F.count("*").alias("records"))
    found = parsed.groupBy("partition").agg(*of_partition, F.count("reason").alias("quarantined")).collect()
    return {
        "offsets": json.dumps({str(row["partition"]): [row["first"], row["last"] + 1] for row in sorted(found)}),
        "records": sum(row["records"] for row in found),
        "quarantined": sum(row["quarantined"] for row in found),
    }


def _of_readings(compared: DataFrame) -> Unit:
    hour = F.unix_seconds(F.date_trunc("hour", "observed_at"))
    row = compared.agg(
        F.count("*").alias("readings"),
        F.count("late_by_s").alias("late"),
        F.count_if("is_corrected").alias("corrected"),
        F.count_if("is_compared").alias("parity_compared"),
        F.count("fault").alias("parity_violations"),
        F.unix_seconds(F.min("observed_at")).alias("earliest_observed_at"),
        F.unix_seconds(F.max("observed_at")).alias("latest_observed_at"),
        F.sort_array(F.collect_set(hour)).alias("touched_hours"),
    ).first()
    assert row is not None
    times = {name: _time(row[name]) for name in ("earliest_observed_at", "latest_observed_at")}
    return {**row.asDict(), **times, "touched_hours": [_time(second) for second in row["touched_hours"]]}


def _time(second: int | None) -> datetime | None:
    # Spark's own times come in the zone of the Python process.
    return None if second is None else datetime.fromtimestamp(second, UTC)


def _examples(compared: DataFrame) -> list[dict[str, Any]]:
    told = ("station_id", "observed_at", "kafka_partition", "kafka_offset", "fault", "differing")
    rows = compared.where("fault IS NOT NULL").select(*told).orderBy("station_id", "observed_at").limit(_EXAMPLES)
    return [{**row.asDict(), "observed_at": row["observed_at"].isoformat()} for row in rows.collect()]
