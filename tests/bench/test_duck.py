"""The yardstick says of each row what the platform says; without servers, on the bench's own unit."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from bench.duck import work
from bench.duck.text import threshold
from bench.unit import as_kafka_gives, sent_records
from pyspark.sql import functions as F
from tests.qc.readings import rules_with

from weahouse.cli.judging import with_registry
from weahouse.qc.level1 import judge
from weahouse.qc.masks import BUDDY_TESTS, TESTS, bits_of, level_of
from weahouse.qc.rules import DEFAULT_RULES, load_rules
from weahouse.qc.verdicts import verdicts
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_STATION_TRUST
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.render import to_spark
from weahouse.sources.network import network
from weahouse.streaming.checkpointed import checkpointed
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.qc.rules import Rules

# Spikes are measured by whole hours before, persistence looks at one.
STATIONS, MINUTES = 120, 95
LATENESS = timedelta(hours=6, minutes=30)


class Tables:
    """The unit as Parquet files: Raw, the registry, and Curated and its verdicts as Spark makes them."""

    def __init__(self, spark: SparkSession, folder: Path, rules: Rules) -> None:
        sites = network(5, STATIONS)
        sent = list(sent_records(sites, MINUTES * STATIONS))
        self.folder, self.rules = folder, rules
        pq.write_table(as_kafka_gives(sent, 0, len(sent), Counter()), folder / "raw.parquet")
        schema = to_spark(GOLD_STATIONS)
        listed = [tuple(site.get(name) for name in schema.names) for site in sites.stations()]
        stations = spark.createDataFrame(listed, schema)
        raw = spark.read.parquet(f"file://{folder}/raw.parquet")
        newest = with_registry(newest_of_each_key(observations(parse(raw), LATENESS)), sites.stations())
        curated = judge(newest, rules).withColumn("revision", F.lit(0)).select(*CURATED_OBSERVATIONS.columns)
        trust = spark.createDataFrame([], to_spark(CURATED_STATION_TRUST))
        self._write(curated, "curated")
        rows = spark.read.parquet(f"file://{folder}/curated")
        self._write(verdicts(rows, stations, trust, rules, checkpointed), "verdicts")
        self._write(stations, "stations")
        self.files = work.Files([str(folder / "raw.parquet")], self.of("curated"), self.of("stations"))
        self.verdicts = spark.read.parquet(f"file://{folder}/verdicts")

    def _write(self, rows: DataFrame, name: str) -> None:
        rows.coalesce(1).write.parquet(f"file://{self.folder}/{name}")

    def of(self, name: str) -> list[str]:
        return [str(file) for file in (self.folder / name).glob("*.parquet")]


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Under rules by which more stations are neighbours, and more is weather, than by those that ship."""
    folder = tmp_path_factory.mktemp("duck")
    text = re.sub(r"radius_km: (5|10),", "radius_km: 60,", DEFAULT_RULES.read_text())
    text = re.sub(r"(shared_least_part|front_pressure_jump_hpa|front_temperature_drop_c): [0-9.]+", r"\1: 0.01", text)
    text = re.sub(r"(shared_least_neighbours|front_wind_shift_deg): [0-9]+", r"\1: 1", text)
    (folder / "rules.yaml").write_text(text)
    return Tables(spark, folder, load_rules(folder / "rules.yaml"))


def test_curated_is_what_the_unit_says_and_each_verdict_is_the_same(tables: Tables):
    out = tables.folder / "ours.parquet"
    assert work.curate(tables.files, tables.rules, LATENESS, out) == 0
    keys, differing = work.compared(tables.of("verdicts"), out, work.VERDICT)
    assert (keys, differing) == (tables.verdicts.count(), 0)


def test_the_unit_shows_each_kind_of_test(tables: Tables):
    """Or an equal result would say little."""
    failed = tables.verdicts.agg(F.bit_or("tests_failed")).first()[0]
    kinds = {test.partition(":")[0] for test in TESTS if failed & bits_of([test]) and level_of(test) > 1}
    assert kinds == {"step", "persistence", "spike", "buddy"}
    told = tables.verdicts.agg(F.count_if(F.col("tests_excused") != 0), F.count_if(F.col("quality_level") == 3)).first()
    assert min(told) > 0
    assert failed & bits_of(BUDDY_TESTS)


def test_a_recompute_under_other_rules_gives_other_flags_and_the_next_revision(tables: Tables):
    other = tables.folder / "other.yaml"
    other.write_text(DEFAULT_RULES.read_text().replace("humidity_tolerance_pct: 5.0", "humidity_tolerance_pct: 0.5"))
    curated, out = tables.folder / "anew.parquet", tables.folder / "anew_verdicts.parquet"
    work.recompute(tables.files, load_rules(other), LATENESS, curated, out)
    keys, differing = work.compared(tables.of("curated"), curated, ("revision",))
    assert keys == differing
    assert 0 < work.compared(tables.of("curated"), curated, work.SAID)[1] < keys


def test_what_curated_tells_otherwise_is_counted(tables: Tables, spark: SparkSession):
    wrong = spark.read.parquet(f"file://{tables.folder}/curated")
    first = wrong.agg(F.min("observed_at")).first()[0]
    changed = F.when(F.col("observed_at") == first, 99.0).otherwise(F.col("wind_gust_mps"))
    folder = tables.folder / "wrong"
    wrong.withColumn("wind_gust_mps", changed).coalesce(1).write.parquet(f"file://{folder}")
    files = work.Files(tables.files.raw, [str(file) for file in folder.glob("*.parquet")], tables.files.stations)
    found = work.curate(files, tables.rules, LATENESS, tables.folder / "wrong.parquet")
    assert found == wrong.where(F.col("observed_at") == first).count() > 0


def test_rules_with_overrides_are_refused(tmp_path: Path):
    rules = rules_with(tmp_path, "  regions: {us-ca: {humidity_tolerance_pct: 3.0}}\n")
    with pytest.raises(ValueError, match="overrides of humidity_tolerance_pct"):
        threshold(rules, "humidity_tolerance_pct")
