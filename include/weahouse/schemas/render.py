"""The truth, rendered: Spark types, CQL, JSON Schema, HDFS paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.schemas.datasets import PANE_MINUTES
from weahouse.schemas.fields import FIELDS, IDENTITY, MEASUREMENTS
from weahouse.schemas.serving_tables import ALERT_COLUMNS, SERVING_TABLES, USER_TYPES
from weahouse.schemas.topics import ALERTS_TOPIC, OBSERVATIONS_TOPIC

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

    from weahouse.schemas.kinds import Dataset, ServingTable, UserType

_CQL_TYPES = {"string": "text", "int": "int", "binary": "blob"}
_CQL_TYPES |= {user_type.name: f"frozen<{user_type.name}>" for user_type in USER_TYPES}
_REQUIRED_MEMBERS = ("station_id", "region", "observed_at")


def path(dataset: Dataset, root: str = "/weahouse") -> str:
    """The HDFS path of a table, e.g. `/weahouse/curated/observations`."""
    return f"{root}/{dataset.zone}/{dataset.table}"


def checkpoint_path(query: str, root: str = "/weahouse") -> str:
    """The HDFS path of a query's checkpoint."""
    return f"{root}/checkpoints/{query}/v1"


def checkpoint_aside(query: str, moment: str, root: str = "/weahouse") -> str:
    """Where a rebuild puts a query's old checkpoint."""
    return f"{root}/checkpoints/{query}/aside-{moment}"


def progress_path(name: str, root: str = "/weahouse") -> str:
    """The HDFS path of a control or progress document."""
    return f"{root}/progress/{name}"


def lease_path(dataset: Dataset, root: str = "/weahouse") -> str:
    """The HDFS path of the file that says who may write a table now."""
    return f"{root}/leases/{dataset.name}"


def model_path(name: str, version: str, root: str = "/weahouse") -> str:
    """The HDFS folder of one version of a model."""
    return f"{root}/models/{name}/{version}"


def to_spark(dataset: Dataset) -> StructType:
    """The Spark schema of a table, in column order."""
    from pyspark.sql.types import StructField, StructType

    return StructType(
        [StructField(name, _spark_type(name), nullable=name not in dataset.required) for name in dataset.columns]
    )


def event_to_spark() -> StructType:
    """The Spark schema in which an event's JSON is read: text members as strings, measurements as doubles."""
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

    text = [StructField(name, StringType()) for name in _REQUIRED_MEMBERS]
    return StructType(text + [StructField(name, DoubleType()) for name in MEASUREMENTS])


def _spark_type(name: str) -> DataType:
    from pyspark.sql import types as t

    header = t.StructType([t.StructField("key", t.StringType()), t.StructField("value", t.BinaryType())])
    spark_types: dict[str, DataType] = {
        "string": t.StringType(),
        "double": t.DoubleType(),
        "tinyint": t.ByteType(),
        "int": t.IntegerType(),
        "bigint": t.LongType(),
        "boolean": t.BooleanType(),
        "date": t.DateType(),
        "timestamp": t.TimestampType(),
        "timestamps": t.ArrayType(t.TimestampType(), containsNull=False),
        "binary": t.BinaryType(),
        "headers": t.ArrayType(header),
    }
    return spark_types[FIELDS[name].type]


def cql_schema() -> list[str]:
    """The statements that make the types and tables of Cassandra where they are missing, without their keyspace."""
    return [*map(_create_type, USER_TYPES), *map(_create_table, SERVING_TABLES)]


def cql_additions() -> list[str]:
    """The statements that give the tables of an earlier release the columns that have come since."""
    return [_add_columns(table) for table in SERVING_TABLES]


def _add_columns(table: ServingTable) -> str:
    columns = ", ".join(f"{name} {_cql_type(name)}" for name in table.all_columns if name not in table.key)
    return f"ALTER TABLE {table.name} ADD IF NOT EXISTS ({columns})"


def _create_table(table: ServingTable) -> str:
    clustering = ", ".join(column for column, _ in table.clustering)
    order = ", ".join(f"{column} {direction}" for column, direction in table.clustering)
    compaction = ", ".join(f"'{key}': '{value}'" for key, value in table.compaction)
    return (
        f"CREATE TABLE IF NOT EXISTS {table.name} (\n{_cql_columns(table.all_columns)},\n"
        f"    PRIMARY KEY (({', '.join(table.partition_key)}), {clustering})\n"
        f") WITH CLUSTERING ORDER BY ({order})\n"
        f"    AND compaction = {{{compaction}}}\n"
        f"    AND comment = '{table.meaning}'"
    )


def _create_type(user_type: UserType) -> str:
    return f"CREATE TYPE IF NOT EXISTS {user_type.name} (\n{_cql_columns(user_type.columns)}\n)"


def _cql_columns(columns: tuple[str, ...]) -> str:
    return ",\n".join(f"    {name} {_cql_type(name)}" for name in columns)


def _cql_type(name: str) -> str:
    plain = FIELDS[name].type
    return _CQL_TYPES.get(plain, plain)


def to_json_schema() -> dict[str, Any]:
    """The contract of an event of the observations topic, as JSON Schema 2020-12."""
    properties: dict[str, Any] = {
        name: {"type": "string", "pattern": IDENTITY[name].pattern, "description": IDENTITY[name].meaning}
        for name in ("station_id", "region")
    }
    properties["observed_at"] = {
        "type": "string",
        "format": "date-time",
        "description": "When the station observed: RFC 3339 with a zone; finer than a second is truncated",
    }
    for name, field in MEASUREMENTS.items():
        properties[name] = {"type": ["number", "null"], "description": f"{field.meaning} [{field.unit}]"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": OBSERVATIONS_TOPIC.name,
        "title": "Weather observation",
        "description": "A missing or null measurement is missing, never zero. Unknown members are kept in Raw.",
        "type": "object",
        "required": list(_REQUIRED_MEMBERS),
        "properties": properties,
        "additionalProperties": True,
    }


def alert_to_json_schema() -> dict[str, Any]:
    """The contract of a message of the alerts topic, as JSON Schema 2020-12; null where an alert has no such value."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ALERTS_TOPIC.name,
        "title": "Weather alert",
        "description": "The whole alert after a change; alert_id, alert_revision and alert_state name the message.",
        "type": "object",
        "required": list(ALERT_COLUMNS),
        "properties": {name: _json_property(name) for name in ALERT_COLUMNS},
        "additionalProperties": False,
    }


def _json_property(name: str) -> dict[str, Any]:
    field = FIELDS[name]
    types = {"string": "string", "double": "number", "int": "integer", "boolean": "boolean", "timestamp": "string"}
    told: dict[str, Any] = {"type": [types[field.type], "null"], "description": field.meaning}
    return told | ({"format": "date-time"} if field.type == "timestamp" else {})


def data_dictionary(
    datasets: tuple[Dataset, ...], tables: tuple[ServingTable, ...], user_types: tuple[UserType, ...]
) -> str:
    """The data dictionary as Markdown: every table with its columns, types, units and meanings."""
    parts = [f"Panes are {PANE_MINUTES} minutes long. All times are UTC.\n"]
    for dataset in datasets:
        key = f"key `{_names(dataset.primary_key)}`"
        title = f"## `{dataset.name}` · Delta\n\n{dataset.meaning}\n\n`{path(dataset)}`, {key}"
        partition = f", partitioned by `{_names(dataset.partition_by)}`" if dataset.partition_by else ""
        parts.append(f"{title}{partition}.\n\n{_table(dataset.columns)}")
    for table in tables:
        key = f"(({_names(table.partition_key)}), {_names(tuple(' '.join(c) for c in table.clustering))})"
        parts.append(f"## `{table.name}` · Cassandra\n\n{table.meaning}\n\nKey `{key}`.\n\n{_table(table.all_columns)}")
    for user_type in user_types:
        parts.append(f"## `{user_type.name}` · type of Cassandra\n\n{user_type.meaning}\n\n{_table(user_type.columns)}")
    return "\n".join(parts)


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(columns)


def _table(columns: tuple[str, ...]) -> str:
    rows = [
        f"| `{name}` | {FIELDS[name].type} | {FIELDS[name].unit or ''} | {FIELDS[name].meaning} |" for name in columns
    ]
    return "| column | type | unit | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
