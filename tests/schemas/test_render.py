"""The truth and its renderings; the reviewed ones stand in tests/golden (`make golden` rewrites them)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from weahouse.schemas import fields
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, DATASETS
from weahouse.schemas.fields import FIELDS
from weahouse.schemas.render import cql_additions, cql_schema, path, to_json_schema, to_spark
from weahouse.schemas.serving_tables import SERVING_TABLES, USER_TYPES

GOLDEN = Path(__file__).parents[1] / "golden"
# Delta keeps statistics, by which files are skipped and late rows counted, for the first 32 columns only.
DELTA_INDEXED_COLUMNS = 32


def reviewed(name: str, rendered: str) -> str:
    if os.environ.get("REWRITE_GOLDEN"):
        (GOLDEN / name).write_text(rendered)
    return (GOLDEN / name).read_text()


def test_the_rendered_cql_is_the_reviewed_one():
    rendered = ";\n\n".join(cql_schema()) + ";\n"
    assert rendered == reviewed("serving_tables.cql", rendered)


def test_the_rendered_json_schema_is_the_reviewed_one():
    rendered = json.dumps(to_json_schema(), indent=2) + "\n"
    assert rendered == reviewed("observation.schema.json", rendered)


def test_a_word_has_one_meaning():
    groups = fields.GROUPS
    assert len(FIELDS) == sum(len(group) for group in groups)


def test_every_column_is_in_the_dictionary():
    named = {column for dataset in DATASETS for column in dataset.columns}
    named |= {column for table in SERVING_TABLES for column in table.all_columns}
    named |= {column for user_type in USER_TYPES for column in user_type.columns}
    assert named <= set(FIELDS)


@pytest.mark.parametrize("table", SERVING_TABLES, ids=lambda table: table.name)
def test_a_serving_table_begins_with_its_key(table):
    assert table.columns[: len(table.key)] == table.key


@pytest.mark.parametrize("table", [table for table in SERVING_TABLES if table.judged_by], ids=lambda table: table.name)
def test_curation_writes_what_the_stream_does_not(table):
    assert set(table.columns) & set(table.of_verdicts().columns) == set(table.key)
    assert set(table.all_columns) == {*table.columns, *table.of_verdicts().columns}


def test_a_table_of_an_earlier_release_gets_every_column_but_its_key():
    added = next(statement for statement in cql_additions() if "observations_by_station" in statement)
    assert added.startswith("ALTER TABLE observations_by_station ADD IF NOT EXISTS (region text, ingested_at")
    assert ("verdict frozen<verdict>" in added, "day date" in added) == (True, False)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_a_dataset_has_its_key_and_partitions_among_its_required_columns(dataset):
    assert set(dataset.primary_key) | set(dataset.partition_by) <= set(dataset.required) <= set(dataset.columns)


def test_what_the_merge_and_the_counts_read_has_statistics():
    indexed = CURATED_OBSERVATIONS.columns[:DELTA_INDEXED_COLUMNS]
    assert {*CURATED_OBSERVATIONS.primary_key, "observed_date", "late_by_s"} <= set(indexed)


def test_a_dataset_is_rendered_to_spark_in_column_order():
    schema = to_spark(CURATED_OBSERVATIONS)
    assert tuple(schema.fieldNames()) == CURATED_OBSERVATIONS.columns
    assert schema["air_temperature_c"].nullable
    assert not schema["station_id"].nullable


def test_a_path_is_the_zone_and_the_table():
    assert path(CURATED_OBSERVATIONS) == "/weahouse/curated/observations"


VALID = {"station_id": "a", "region": "us-ca", "observed_at": "2024-05-01T12:00:00Z"}


@pytest.mark.parametrize("more", [{}, {"air_temperature_c": 1.5}, {"air_temperature_c": None}, {"unknown": [1]}])
def test_the_contract_accepts(more):
    jsonschema.validate(VALID | more, to_json_schema())


@pytest.mark.parametrize("wrong", [{"station_id": "../x"}, {"region": 5}, {"air_temperature_c": "1.5"}])
def test_the_contract_refuses(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(VALID | wrong, to_json_schema())
