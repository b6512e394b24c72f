"""Level 1 on records of this machine: a Spark session of its own, no server, nothing left behind."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weahouse.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import Column, DataFrame, Row, SparkSession

    from weahouse.qc.rules import Rules
    from weahouse.sources.stations import Station

# Some 20 MB of records; several files keep all cores busy.
_FILE_RECORDS = 50_000


@contextmanager
def local_spark() -> Iterator[tuple[SparkSession, Path]]:
    """A session and a scratch folder, both gone afterwards; what Spark has to say goes into the folder."""
    from pyspark.sql import SparkSession

    from weahouse.embedded.java import java_home
    from weahouse.embedded.process import EmbeddedError
    from weahouse.orchestration.spark_submit import spark_environment
    from weahouse.settings import HOST, settings

    try:
        os.environ |= {**spark_environment(settings()), "JAVA_HOME": str(java_home())}
    except EmbeddedError as error:
        raise UserError(str(error)) from None
    with tempfile.TemporaryDirectory(prefix="weahouse-qc-") as name:
        folder = Path(name)
        builder = SparkSession.builder.master("local[*]").appName("qc")
        for key, value in {
            "spark.driver.host": HOST,
            "spark.driver.bindAddress": HOST,
            "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Djava.io.tmpdir={folder}",
            "spark.local.dir": name,
            "spark.sql.warehouse.dir": f"{folder}/warehouse",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "2",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
        }.items():
            builder = builder.config(key, value)
        with _stderr_into(folder / "spark.log"):
            spark = builder.getOrCreate()
        try:
            yield spark, folder
        finally:
            spark.stop()


@contextmanager
def _stderr_into(path: Path) -> Iterator[None]:
    """Send the standard error of this process into a file; a JVM that starts meanwhile keeps it for good."""
    kept = os.dup(2)
    with path.open("wb") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def records_table(spark: SparkSession, folder: Path, records: Iterable[tuple[float, bytes]]) -> DataFrame:
    """Records (append time in epoch seconds, value) as Kafka would give them, by way of files in `folder`."""
    import pyarrow as pa
    from pyarrow import parquet

    folder.mkdir()
    schema = pa.schema(
        [
            ("timestamp", pa.timestamp("us", "UTC")),
            ("value", pa.binary()),
            ("partition", pa.int32()),
            ("offset", pa.int64()),
        ]
    )
    # An empty file first: the schema of no records at all.
    parquet.write_table(schema.empty_table(), folder / "0.parquet")
    given = iter(records)
    for number in count():
        some = list(islice(given, _FILE_RECORDS))
        if not some:
            break
        offsets = range(number * _FILE_RECORDS, number * _FILE_RECORDS + len(some))
        columns = [[round(at * 1e6) for at, _ in some], [value for _, value in some], [0] * len(some), list(offsets)]
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
        parquet.write_table(pa.table(arrays, schema=schema), folder / f"{number + 1}.parquet")
    return spark.read.parquet(f"file://{folder}")


def with_registry(observations: DataFrame, stations: Iterable[Station]) -> DataFrame:
    """Add `latitude_deg`, and let the registry's region win over the event's, as the stream does."""
    from pyspark.sql import functions as F

    schema = "station_id string, registered_region string, latitude_deg double"
    rows = [(station["station_id"], station["region"], station["latitude_deg"]) for station in stations]
    known = F.broadcast(observations.sparkSession.createDataFrame(rows, schema))
    joined = observations.join(known, "station_id", "left")
    return joined.withColumn("region", F.coalesce("registered_region", "region")).drop("registered_region")


def judge_records(records: DataFrame, stations: Iterable[Station], rules: Rules) -> dict[str, Any]:
    """What level 1 says of records: counts of reasons, flags and tests, and the first example of each failed test."""
    from pyspark import StorageLevel

    from weahouse.qc.level1 import judge
    from weahouse.settings import settings
    from weahouse.transforms.parse import observations, parse

    parsed = parse(records).persist(StorageLevel.MEMORY_AND_DISK)
    unreadable = {
        row["reason"]: row["count"] for row in parsed.where("reason IS NOT NULL").groupBy("reason").count().collect()
    }
    judged = judge(with_registry(observations(parsed, settings().lateness), stations), rules)
    found = _counts(judged)
    parsed.unpersist()
    return {"rules_version": rules.version, "unreadable": unreadable, **found}


def _counts(judged: DataFrame) -> dict[str, Any]:
    from pyspark.sql import functions as F

    from weahouse.qc.masks import LEVEL_1_TESTS
    from weahouse.schemas.fields import FLAG_NAMES, VARIABLES, flag_of

    questions: list[Column] = [F.count("*").alias("observations")]
    for variable in VARIABLES:
        questions += [F.count_if(F.col(flag_of(variable)) == flag).alias(f"{variable} {flag}") for flag in FLAG_NAMES]
    whole = F.struct("station_id", "observed_at", *VARIABLES)
    for bit in range(len(LEVEL_1_TESTS)):
        applied, failed = (F.col(mask).bitwiseAND(F.lit(1 << bit)) != 0 for mask in ("tests_applied", "tests_failed"))
        first = F.min_by(F.when(failed, whole), F.when(failed, F.struct("observed_at", "station_id")))
        questions += [F.count_if(applied).alias(f"applied {bit}"), F.count_if(failed).alias(f"failed {bit}")]
        questions.append(first.alias(f"first {bit}"))
    row = judged.agg(*questions).first()
    assert row is not None
    return {
        "observations": row["observations"],
        "variables": {v: {name: row[f"{v} {flag}"] for flag, name in FLAG_NAMES.items()} for v in VARIABLES},
        "tests": {
            test: {"applied": row[f"applied {n}"], "failed": row[f"failed {n}"]} for n, test in enumerate(LEVEL_1_TESTS)
        },
        "examples": [_example(test, row[f"first {n}"]) for n, test in enumerate(LEVEL_1_TESTS) if row[f"first {n}"]],
    }


def _example(test: str, row: Row) -> dict[str, Any]:
    from weahouse.qc.masks import variables_of

    values = {variable: row[variable] for variable in variables_of(test)}
    return {
        "test": test,
        "station_id": row["station_id"],
        "observed_at": row["observed_at"].isoformat() + "Z",
        **values,
    }
