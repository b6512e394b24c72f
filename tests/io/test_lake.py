from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from weahouse.io.lake import LakeError, arrow_schema, query, rows, table_uri
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.settings import Settings

# Port 1 answers nobody: these questions need no server, or say that there is none.
NOWHERE = Settings(hdfs_url="hdfs://127.0.0.1:1")


def test_a_table_stands_under_its_zone() -> None:
    assert table_uri(NOWHERE, CURATED_OBSERVATIONS) == "hdfs://127.0.0.1:1/weahouse/curated/observations"


def test_a_query_may_begin_with_comments_and_parentheses() -> None:
    assert rows(query(NOWHERE, "-- why\n/* and how */ (SELECT 1 AS n) UNION ALL (SELECT 1)")) == [{"n": 1}, {"n": 1}]


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "DROP TABLE curated.observations",
        "INSERT INTO curated.observations VALUES (1)",
        "COPY (SELECT 1) TO '/tmp/weahouse-copied.csv'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
    ],
)
def test_anything_but_a_select_is_refused(sql: str) -> None:
    with pytest.raises(LakeError, match="read-only"):
        query(NOWHERE, sql)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT 1; SELECT 2", "single SQL statement"),
        ("WITH q AS (SELECT 1 AS a) INSERT INTO q SELECT 1", "not implemented"),
        ("SELECT * FROM '/etc/passwd'", "no table /etc/passwd; the tables are raw.observations"),
        ("SELECT * FROM read_csv('/etc/passwd')", "'read_csv' not found"),
        ("SELECT nope FROM (SELECT 1 AS a)", "No field named nope"),
        ("SELECT CAST('x' AS int)", "Cannot cast string 'x'"),
    ],
)
def test_a_query_that_cannot_be_run_is_told_in_one_line(sql: str, reason: str) -> None:
    with pytest.raises(LakeError, match=reason) as told:
        query(NOWHERE, sql)
    assert "\n" not in str(told.value)


def test_a_lake_that_does_not_answer_is_named() -> None:
    with pytest.raises(LakeError, match=r"HDFS at hdfs://127\.0\.0\.1:1 does not answer"):
        query(NOWHERE, "SELECT * FROM curated.observations")


def test_rows_hold_what_json_can_hold() -> None:
    table = pa.table(
        {
            "at": pa.array([datetime(2024, 5, 1, 13, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "day": [date(2024, 5, 1)],
            "text": [b"{}"],
            "bytes": [b"\xff\x00"],
            "whole": [Decimal("12")],
            "part": [Decimal("1.5")],
            "nan": [float("nan")],
            "headers": [[{"key": "a", "value": b"x"}]],
            "missing": pa.array([None], pa.int64()),
        }
    )
    assert rows(table) == [
        {
            "at": "2024-05-01T13:00:00Z",
            "day": "2024-05-01",
            "text": "{}",
            "bytes": "0xff00",
            "whole": 12,
            "part": 1.5,
            "nan": None,
            "headers": [{"key": "a", "value": "x"}],
            "missing": None,
        }
    ]


def test_the_registry_is_written_in_the_columns_of_its_dataset() -> None:
    schema = arrow_schema(GOLD_STATIONS)
    assert tuple(schema.names) == GOLD_STATIONS.columns
    assert {field.name for field in schema if not field.nullable} == set(GOLD_STATIONS.required)
