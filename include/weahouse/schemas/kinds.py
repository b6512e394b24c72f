"""What the platform's data are described by: fields, Delta tables, Cassandra tables, Kafka topics."""

from __future__ import annotations

from dataclasses import dataclass, replace

# Of some 200 bytes each.
_VERDICTS_PER_REQUEST = 20


@dataclass(frozen=True)
class Field:
    """A word: `type` is string, double, tinyint, int, bigint, boolean, date, timestamp(s), binary, or a user type's."""

    type: str
    meaning: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    values: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A Delta table on HDFS; `name` is `zone.table`, its path `/weahouse/zone/table`.

    `skip_by`: columns of which the log keeps the least and greatest value of each file, and how many are missing,
    so that readers skip and count by them; where it is empty, the first 32. Every look at a table parses all of that.
    `sort_by`: the columns by which compaction sorts, for readers bound by them; where it is empty, it does nothing.
    """

    name: str
    meaning: str
    columns: tuple[str, ...]
    primary_key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    skip_by: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()

    @property
    def zone(self) -> str:
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class UserType:
    """A type of Cassandra: numbers that are written and read together, as the one value of a column."""

    name: str
    meaning: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ServingTable:
    """A Cassandra table, named by its query; `rows_per_request` of it stay below the 5 KiB where a node warns.

    `judged_by`: the column in which curation's verdicts stand. The stream never writes it, and each write of it has a
    timestamp of its own, so that neither undoes what the other has written.
    """

    name: str
    meaning: str
    columns: tuple[str, ...]
    partition_key: tuple[str, ...]
    clustering: tuple[tuple[str, str], ...]
    compaction: tuple[tuple[str, str], ...]
    rows_per_request: int = 50
    judged_by: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return self.partition_key + tuple(column for column, _ in self.clustering)

    @property
    def all_columns(self) -> tuple[str, ...]:
        """What the stream writes and what curation does."""
        return (*self.columns, *((self.judged_by,) if self.judged_by else ()))

    def of_verdicts(self) -> ServingTable:
        """The table as curation writes it."""
        assert self.judged_by is not None
        rows = min(self.rows_per_request, _VERDICTS_PER_REQUEST)
        return replace(self, columns=(*self.key, self.judged_by), judged_by=None, rows_per_request=rows)


@dataclass(frozen=True)
class Topic:
    """A Kafka topic; retention is a setting, and so are the partitions where none are given."""

    name: str
    meaning: str
    config: tuple[tuple[str, str], ...]
    partitions: int | None = None
