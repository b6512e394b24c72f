"""What a batch of newest records does to a keyed table: each record is one of some changes to the row of its key."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.datasets import KEY
from weahouse.transforms.newest import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame

NEW = "new"
CORRECTION = "correction"
# The very record that the table holds: a batch that is being done a second time.
AGAIN = "again"
REPEAT = "repeat"
SUPERSEDED = "superseded"
# The record that the table holds, of which a recompute says something else: by other rules, say.
REJUDGED = "rejudged"
WRITTEN = (NEW, CORRECTION, AGAIN)
# Where the table may hold rows that were never served, because a driver died between: a repeat that was not there the
# last time, as batches begin and end elsewhere, would hide the record that is still to be served.
RESTORED = (*WRITTEN, REPEAT)
REBUILT = (NEW, CORRECTION, REJUDGED)

# The day is named in the join because rows of both sides are placed by it.
_ON = (*KEY, "observed_date")


def classify(newest: DataFrame, table: DataFrame) -> DataFrame:
    """The newest records, each with what it does to the table: `change`, and the `revision` of the row then.

    Shape: newest's columns, `revision`, `change`, and `was_present`: what was there before, as a mask of tests
    applied, of the row that a correction replaces, and of all records where these contradict each other. The values are
    the records' own, also of those that the table does not take.
    """
    held, told = _columns(tuple(newest.columns), ())
    known = table.select(*_ON, *held).hint("shuffle_hash")
    return newest.join(known, list(_ON), "left").withColumn("change", _change()).select(*told)


def resolve(newest: DataFrame, table: DataFrame) -> DataFrame:
    """The rows of both sides as the table is to hold them, with `change`, null where the batch says nothing of a key.

    Shaped as `classify`; columns that the table has come from the side that wins, others are null in its own rows.
    """
    return _resolved(newest, table, lambda _: _change())


def rebuild(newest: DataFrame, table: DataFrame) -> DataFrame:
    """As `resolve`, for what was made anew of all records of the keys.

    A row whose reading stays keeps its record, and is REJUDGED, with a higher revision, where any other column differs.
    """
    return _resolved(_of_held_records(newest, table), table, _rejudged)


def _of_held_records(newest: DataFrame, table: DataFrame) -> DataFrame:
    """The newest records; where one repeats what the table holds, the record is the table's."""
    of_record = (*VERSION, "late_by_s")
    held = table.select(*_ON, *[F.col(name).alias(f"held_{name}") for name in (*of_record, "payload_hash")])
    is_later = F.struct(*VERSION) > _held(VERSION)
    keeps = (_change() == REPEAT) & is_later
    told = [
        F.when(keeps, F.col(f"held_{name}")).otherwise(F.col(name)).alias(name) if name in of_record else F.col(name)
        for name in newest.columns
    ]
    return newest.join(held.hint("merge"), list(_ON), "left").select(*told)


def _rejudged(shared: tuple[str, ...]) -> Column:
    is_same_record = F.struct(*VERSION) == _held(VERSION)
    differs = ~F.struct(*shared).eqNullSafe(_held(shared))
    return F.when(is_same_record & differs, REJUDGED).otherwise(_change())


def _held(columns: tuple[str, ...]) -> Column:
    return F.struct(*[F.col(f"held_{column}").alias(column) for column in columns])


def _resolved(newest: DataFrame, table: DataFrame, change_of: Callable[[tuple[str, ...]], Column]) -> DataFrame:
    shared = tuple(column for column in newest.columns if column in table.columns and column not in _ON)
    held, told = _columns(tuple(newest.columns), shared)
    # Two joins and not a full outer one: that forgets where rows are placed, and every later grouping moved them again.
    known, keys = table.select(*_ON, *held).hint("merge"), newest.select(*_ON).hint("merge")
    ours = newest.join(known, list(_ON), "left").withColumn("change", change_of(shared)).select(*told)
    rest = table.join(keys, list(_ON), "left_anti")
    absent = {field.name: F.lit(None).cast(field.dataType) for field in ours.schema if field.name not in table.columns}
    return ours.union(rest.withColumns(absent).select(*ours.columns))


# Columns are built once: each costs several calls into the JVM, and every micro-batch needs the same ones.
@cache
def _change() -> Column:
    version, held_version = F.struct(*VERSION), _held(VERSION)
    says_the_same = F.col("payload_hash") == F.col("held_payload_hash")
    # A reading that returned to what it was (A, B, A) with B in this batch too: the row must carry the last record's
    # version, or B, which is newer than the first, would be neither held nor superseded.
    returned = F.col("contested") & (version > held_version)
    return (
        F.when(F.col("held_payload_hash").isNull(), NEW)
        # With the append time, because a topic that was created again has the same offsets once more.
        .when(version == held_version, AGAIN)
        .when(says_the_same & ~returned, REPEAT)
        .when(version > held_version, CORRECTION)
        .otherwise(SUPERSEDED)
    )


@cache
def _columns(of_newest: tuple[str, ...], shared: tuple[str, ...]) -> tuple[list[Column], list[Column]]:
    """What is read of the table, and what comes of the join; `shared` are taken from the side that wins."""
    read = dict.fromkeys((*shared, *VERSION, "payload_hash", "tests_applied", "revision"))
    held = [F.col(column).alias(f"held_{column}") for column in read]
    is_replaced = F.col("change").isin(CORRECTION, REJUDGED)
    # The very record that is there is served as it stands there, by whatever rules it was judged.
    wins = is_replaced | (F.col("change") == NEW)
    winners = {column: F.when(wins, F.col(column)).otherwise(F.col(f"held_{column}")) for column in shared}
    # Each of the records that contradict each other counts: a driver that died may have served what fewer of them say,
    # and what all of them say must have the higher revision. To be judged again counts once, however many they were.
    is_taken = F.col("contested") & (F.col("change") != REJUDGED)
    taken = F.when(is_taken, F.col("records")).otherwise(1)
    revision = F.when(is_replaced, F.col("held_revision") + taken).otherwise(F.col("held_revision"))
    replaced = F.when(is_replaced, F.col("held_tests_applied")).otherwise(F.lit(0))
    # A driver that died may have served one of the records alone.
    outdone = F.when(F.col("contested"), F.col("values_told")).otherwise(F.lit(0))
    return held, [
        *[winners.get(column, F.col(column)).alias(column) for column in of_newest],
        F.coalesce(revision, taken - 1).cast("int").alias("revision"),
        F.col("change"),
        replaced.cast("bigint").bitwiseOR(outdone).alias("was_present"),
    ]
