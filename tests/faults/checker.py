"""The checker: what must be true of a stream after a load, whatever struck it meanwhile; each violation has a name.

A violation of one kind does not show as another: comparisons of content leave out what is reported of keys, and counts
of dispositions what is reported of single records.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyspark.sql import functions as F

from tests.faults.load import REGIONS, key_of, prefix
from weahouse.io.alerts import alerts_of, partitions_of
from weahouse.io.cassandra import rows_of_each
from weahouse.io.delta import read_table
from weahouse.io.gaps import read_gaps
from weahouse.io.lake import query
from weahouse.io.variable_rows import SELECT_LATEST, latest_in, panes_in, select_panes
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, KEY, OFFSETS_EXPIRED, PANE_MINUTES, TOPIC_RECREATED
from weahouse.schemas.fields import VARIABLES, flag_of
from weahouse.schemas.serving_tables import (
    ACKNOWLEDGEMENT_COLUMNS,
    ALERT_COLUMNS,
)
from weahouse.streaming.reconciliation import NothingToCompareError, reconcile
from weahouse.transforms.panes import STATISTICS, summarise

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from pyspark.sql import SparkSession

    from tests.faults.bed import Acknowledged
    from tests.integration.conftest import Stream

_EXAMPLES = 3
# Sums of up to ten values that come in another order.
_TOLERANCE = 1e-9
_CONTENT = ("station_id", "observed_at", "region", *VARIABLES, *map(flag_of, VARIABLES))
# When and in how many steps an alert was found depends on the batches; which alerts stand does not (docs/alerts.md).
_OF_FINDING = ("alert_state", "raised_at", "detection_delay_s", "alert_revision", "superseded_by")
# What each refusing fault leaves in `curated.gaps`; a damaged checkpoint loses nothing.
_GAP_OF = {"topic_recreated": TOPIC_RECREATED, "offsets_expired": OFFSETS_EXPIRED}
_STANDING = tuple(c for c in ALERT_COLUMNS if c not in (*_OF_FINDING, *ACKNOWLEDGEMENT_COLUMNS))


class Violation(NamedTuple):
    """Something that is not as it must be."""

    name: str
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}"


@dataclass(frozen=True)
class Content:
    """What a load left behind where nothing struck: rows of Curated and the alerts that stand."""

    observations: Counter[tuple[Any, ...]]
    alerts: frozenset[tuple[Any, ...]]

    @property
    def hash(self) -> str:
        """Of the distinct rows of Curated, over keys, values and flags, in any order."""
        total = sum(int.from_bytes(hashlib.sha256(repr(row).encode()).digest()[:8]) for row in self.observations)
        return f"{total % 2**64:016x}"


@dataclass(frozen=True)
class Expected:
    """Of a seed: since when it was sent, what was acknowledged, what was lost unread, what a calm stream holds."""

    seed: int
    since: datetime
    acknowledged: list[Acknowledged]
    lost: list[Acknowledged]
    # The refusing fault of the seed, and how many gaps there were before.
    refusing: str | None
    gaps: int
    calm: Content


@dataclass
class Report:
    """What was compared, how many rows of each kind, and what was found."""

    compared: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [violation.name for violation in self.violations]

    def tell(self, name: str, what: str, compared: int, faults: Iterable[object]) -> None:
        """Note a comparison; nothing compared is a violation too."""
        self.compared[what] = compared
        if not compared:
            self.violations.append(Violation("nothing_compared", what))
        found = list(faults)
        if found:
            examples = ", ".join(map(str, found[:_EXAMPLES]))
            self.violations.append(Violation(name, f"{len(found)} of {what}, such as {examples}"))


def content(stream: Stream, seed: int) -> Content:
    """What a stream holds of a seed's stations."""
    selected = ", ".join(_CONTENT)
    table = query(
        stream.settings, f"SELECT {selected} FROM curated.observations WHERE station_id LIKE '{prefix(seed)}%'"
    )
    observations = Counter(zip(*(table[name].to_pylist() for name in _CONTENT), strict=True))
    found = alerts_of(stream.settings, partitions_of(stream.settings))
    standing = frozenset(
        tuple(alert[name] for name in _STANDING)
        for alert in found
        if alert["station_id"].startswith(prefix(seed)) and alert["alert_state"] != "withdrawn"
    )
    return Content(observations, standing)


def check(spark: SparkSession, stream: Stream, expected: Expected) -> Report:
    """Compare everything that a seed has left; see the names of the violations."""
    report = Report()
    held = content(stream, expected.seed)
    lost, doubled = _check_raw(stream, expected, report)
    doubled_keys = _check_keys(held, report)
    doubled += sum(key_of(each.value) in doubled_keys for each in expected.acknowledged)
    _check_dispositions(spark, stream, expected, report, lost, doubled)
    _check_content(held, expected, report)
    _check_latest(stream, held, expected.seed, report)
    _check_panes(spark, stream, expected.seed, report)
    _check_gaps(stream, expected, report)
    return report


def _check_raw(stream: Stream, expected: Expected, report: Report) -> tuple[int, int]:
    """Every acknowledged record is in Raw exactly once, byte for byte; how many are not at all, and how many twice."""
    table = query(
        stream.settings,
        'SELECT "partition", "offset", "timestamp", value FROM raw.observations '
        f"WHERE \"timestamp\" >= '{expected.since.isoformat()}'",
    )
    in_ms = table["timestamp"].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_pylist()
    columns = (table[name].to_pylist() for name in ("partition", "offset"))
    raw = Counter(zip(*columns, in_ms, table["value"].to_pylist(), strict=True))
    told = Counter(map(tuple, expected.acknowledged))
    report.tell("acknowledged_lost", "acknowledged records", len(told), (_place(r) for r in (told - raw).elements()))
    report.tell("raw_doubled", "records in Raw", len(raw), (_place(r) for r, n in raw.items() if n > 1))
    report.tell("raw_foreign", "records in Raw", len(raw), (_place(r) for r in raw.keys() - told.keys()))
    return (told - raw).total(), sum(count > 1 for count in raw.values())


def _place(record: tuple[Any, ...]) -> str:
    return f"partition {record[0]} offset {record[1]}"


def _check_keys(held: Content, report: Report) -> set[Hashable]:
    keys = Counter(row[:2] for row in held.observations.elements())
    doubled = {key for key, count in keys.items() if count > 1}
    report.tell("duplicate_key", "keys in Curated", len(keys), sorted(doubled))
    return doubled


def _check_dispositions(
    spark: SparkSession,
    stream: Stream,
    expected: Expected,
    report: Report,
    lost: int,
    doubled: int,
) -> None:
    """The platform's own proof; `lost` and `doubled` offsets have been reported already."""
    try:
        told = reconcile(spark, stream.settings, expected.since, None)
    except NothingToCompareError:
        report.tell("unaccounted", "offsets", 0, ())
        return
    report.compared |= {"offsets": told["offsets"], "rows of Cassandra": told["compared_cassandra"]}
    counts = {"unaccounted": told["unaccounted"] - lost, "doubled": told["doubled"] - doubled}
    for name, count in counts.items():
        if count > 0:
            report.violations.append(Violation(name, f"{count} of {told['offsets']} offsets"))
    # Panes are compared below, also those of windows in which no reading is left.
    rows = [example for example in told["examples"] if "difference" in example and "variable" not in example]
    for kind in sorted({example["difference"] for example in rows}):
        of_kind = [example for example in rows if example["difference"] == kind]
        report.tell(f"cassandra_{kind}", "rows of Cassandra", told["compared_cassandra"], of_kind)


def _check_content(held: Content, expected: Expected, report: Report) -> None:
    calm = expected.calm
    # Named by key only where the hashes differ.
    different = held.observations.keys() ^ calm.observations.keys() if held.hash != calm.hash else set()
    keys = sorted({f"{row[0]} at {row[1]:%H:%M}" for row in different})
    report.tell("content_differs", "rows of Curated", len(calm.observations), keys)
    names = (f"{a[_STANDING.index('rule')]} of {a[_STANDING.index('station_id')]}" for a in held.alerts ^ calm.alerts)
    report.tell("alerts_differ", "standing alerts", len(calm.alerts), sorted(names))


def _check_latest(stream: Stream, held: Content, seed: int, report: Report) -> None:
    newest: dict[tuple[str, str, str], tuple[datetime, float, int]] = {}
    for row in held.observations:
        station, at, region, *values = row
        for variable, value, flag in zip(VARIABLES, values, values[len(VARIABLES) :], strict=False):
            place = (region, station, variable)
            if value is not None and (place not in newest or newest[place][0] < at):
                newest[place] = (at, value, flag)
    rows = rows_of_each(stream.settings, f"{SELECT_LATEST} WHERE region = ?", [(region,) for region in REGIONS])
    served = {
        (told["region"], told["station_id"], told["variable"]): (
            told["observed_at"].replace(tzinfo=UTC),
            told["measured_value"],
            told["flag"],
        )
        for row in rows
        if row["station_id"].startswith(prefix(seed))
        for told in latest_in(row)
    }
    different = sorted(place for place in newest.keys() | served.keys() if newest.get(place) != served.get(place))
    report.tell("latest_differs", "latest values", len(newest), different)


def _check_panes(spark: SparkSession, stream: Stream, seed: int, report: Report) -> None:
    curated = read_table(spark, stream.settings, CURATED_OBSERVATIONS)
    curated = curated.where(F.col("station_id").startswith(prefix(seed))).dropDuplicates(list(KEY))
    key = ("station_id", "variable", "window_start")
    made = summarise(curated, PANE_MINUTES).where("value_count > 0")
    expected = {tuple(row[name] for name in key): row for row in _naive(made.select(*key, *STATISTICS).collect())}
    days = sorted({(station, at.date()) for station, _, at in expected})
    found = (pane for row in rows_of_each(stream.settings, select_panes(), days) for pane in panes_in(row))
    served = {tuple(row[name] for name in key): row for row in found}
    places = expected.keys() | served.keys()
    different = [place for place in places if not _are_equal(expected.get(place), served.get(place))]
    report.tell("pane_differs", "panes", len(expected), sorted(map(str, different)))


def _naive(found: Iterable[Any]) -> Iterable[dict[str, Any]]:
    """Spark's rows with times as Cassandra gives them: UTC without a zone, which is the zone of the tests."""
    return (row.asDict() for row in found)


def _are_equal(made: Mapping[str, Any] | None, served: Mapping[str, Any] | None) -> bool:
    if made is None or served is None:
        return False
    pairs = [(made[name], served[name]) for name in STATISTICS]
    return all(
        one == other
        if one is None or other is None
        else math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        for one, other in pairs
    )


def _check_gaps(stream: Stream, expected: Expected, report: Report) -> None:
    """What was lost with the topic, or unread from it, is a row of the table; nothing else is."""
    gaps = read_gaps(stream.settings)[expected.gaps :]
    wanted = _GAP_OF.get(expected.refusing or "")
    if {gap["cause"] for gap in gaps} != ({wanted} if wanted else set()):
        report.violations.append(Violation("gap_differs", f"after {expected.refusing} there are the gaps {gaps}"))
    if wanted:
        report.compared["gaps"] = len(gaps)
    if expected.lost:
        expired = [gap for gap in gaps if gap["cause"] == OFFSETS_EXPIRED]
        told = {(g["partition"], offset) for g in expired for offset in range(g["from_offset"], g["to_offset"])}
        lost = {(each.partition, each.offset) for each in expected.lost}
        report.tell("gap_differs", "lost offsets", len(lost), sorted(told ^ lost))
