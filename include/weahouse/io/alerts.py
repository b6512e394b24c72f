"""Alerts at rest and on their way: `alerts_by_region` in Cassandra and the alerts topic.

An alert is published before it is stored: who dies in between finds it unstored, and publishes the same revision again.
Rows are the columns of the table as a dictionary; times are aware, `version` is the timestamp of the write.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weahouse.io import kafka
from weahouse.io.cassandra import Row, rows, rows_of_each, write_partitions
from weahouse.io.variable_rows import (
    SELECT_LATEST,
    judged,
    latest_in,
    level_1_panes_in,
    select_observations,
    select_panes,
)
from weahouse.schemas.fields import FIELDS, flag_of
from weahouse.schemas.serving_tables import ACKNOWLEDGEMENT_COLUMNS, ALERT_COLUMNS, ALERTS_BY_REGION
from weahouse.schemas.topics import ALERTS_TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from weahouse.settings import Settings

_TABLE = ALERTS_BY_REGION.name
_TIMES = tuple(column for column in ALERT_COLUMNS if FIELDS[column].type == "timestamp")
_WRITTEN = tuple(column for column in ALERTS_BY_REGION.columns if column not in ACKNOWLEDGEMENT_COLUMNS)
_KEY = " AND ".join(f"{column} = ?" for column in ALERTS_BY_REGION.key)
_SELECT = f"SELECT {', '.join(ALERTS_BY_REGION.columns)}, WRITETIME(alert_state) AS version FROM {_TABLE}"
_INSERT = f"INSERT INTO {_TABLE} ({', '.join(_WRITTEN)}) VALUES ({', '.join('?' * len(_WRITTEN))}) USING TIMESTAMP ?"
_NOTES = ", ".join(f"{column} = ?" for column in ACKNOWLEDGEMENT_COLUMNS)
_ACKNOWLEDGE = f"UPDATE {_TABLE} USING TIMESTAMP ? SET {_NOTES} WHERE {_KEY}"
# A row takes some 600 bytes; Cassandra begins to warn of batches at 5 KiB.
_ROWS_PER_BATCH = 8
_FLUSH_S = 2.0


class UnknownAlertError(ValueError):
    """There is no alert with this id."""


def alerts_of(settings: Settings, partitions: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """The alerts of (region, month) partitions, newest first within each. Raises CassandraError."""
    return map(_aware, rows_of_each(settings, f"{_SELECT} WHERE region = ? AND month = ?", partitions))


def active_alerts(settings: Settings) -> Iterator[Row]:
    """The alerts whose condition holds, of every region and month: a scan, which sends only those."""
    return map(_aware, rows(settings, f"{_SELECT} WHERE is_active = true ALLOW FILTERING"))


def count_active(settings: Settings) -> int:
    """How many alerts are active."""
    [row] = rows(settings, f"SELECT COUNT(*) AS n FROM {_TABLE} WHERE is_active = true ALLOW FILTERING")
    return int(row["n"])


def partitions_of(settings: Settings) -> list[tuple[str, str]]:
    """The (region, month) partitions that hold any alert."""
    return sorted(
        (row["region"], row["month"]) for row in rows(settings, f"SELECT DISTINCT region, month FROM {_TABLE}")
    )


def acknowledgements(settings: Settings, alerts: Sequence[Row]) -> list[Row]:
    """The columns of the acknowledgement of each alert, in the order of the alerts."""
    cql = f"SELECT alert_id, {', '.join(ACKNOWLEDGEMENT_COLUMNS)} FROM {_TABLE} WHERE {_KEY}"
    found = {row["alert_id"]: _aware(row) for row in rows_of_each(settings, cql, map(_key, alerts))}
    nothing: Row = dict.fromkeys(ACKNOWLEDGEMENT_COLUMNS)
    return [found.get(alert["alert_id"], nothing) for alert in alerts]


def write_alerts(settings: Settings, alerts: Sequence[Row]) -> int:
    """Store alerts, each with its version; an acknowledgement that a new one has inherited goes along."""
    by_partition: defaultdict[tuple[str, str], list[tuple[object, ...]]] = defaultdict(list)
    for alert in alerts:
        values = (*(alert[column] for column in _WRITTEN), alert["version"])
        by_partition[alert["region"], alert["month"]].append(values)
    batches = [
        partition[start : start + _ROWS_PER_BATCH]
        for partition in by_partition.values()
        for start in range(0, len(partition), _ROWS_PER_BATCH)
    ]
    write_partitions(settings, _INSERT, batches)
    inherited = [alert for alert in alerts if alert["acknowledged_at"] and alert["alert_revision"] == 1]
    write_partitions(settings, _ACKNOWLEDGE, [[_acknowledgement(alert)] for alert in inherited])
    return len(alerts)


def acknowledge(settings: Settings, alert_id: str, by: str, note: str | None, at: datetime) -> Row:
    """Write down who took note of an alert, and publish that; the alert as it is now.

    Raises UnknownAlertError, CassandraError, KafkaError.
    """
    found = next(map(_aware, rows(settings, f"{_SELECT} WHERE alert_id = ? ALLOW FILTERING", (alert_id,))), None)
    if found is None:
        raise UnknownAlertError(f"there is no alert {alert_id}: `weahouse alerts` lists them with their ids")
    alert = found | {"acknowledged_by": by, "acknowledged_at": at, "acknowledgement_note": note}
    write_partitions(settings, _ACKNOWLEDGE, [[_acknowledgement(alert)]])
    Publisher(settings, **{"message.timeout.ms": 10_000}).publish([alert | {"alert_state": "acknowledged"}])
    return alert


class Publisher:
    """A producer of alerts: `publish` returns when the broker has them."""

    def __init__(self, settings: Settings, **overrides: object) -> None:
        # Without a timeout: while the broker is away alerts wait, as the stream does.
        self._producer = kafka.producer(settings, **{"message.timeout.ms": 0, "log_level": 2, **overrides})

    def publish(self, alerts: Iterable[Row], waiting: Callable[[], None] = lambda: None) -> None:
        """Send alerts keyed by station; `waiting` is called while the broker takes its time. Raises KafkaError."""
        refused: list[str] = []
        for alert in alerts:
            message = json.dumps({column: _plain(alert[column]) for column in ALERT_COLUMNS}, allow_nan=False)
            self._producer.produce(
                ALERTS_TOPIC.name,
                message.encode(),
                alert["station_id"].encode(),
                on_delivery=lambda error, _: refused.append(error.str()) if error else None,
            )
        while self._producer.flush(_FLUSH_S):
            waiting()
        if refused:
            raise kafka.KafkaError(f"{len(refused)} alerts were refused by Kafka: {refused[0]}")


def last_seen(
    settings: Settings, lateness_s: float
) -> tuple[dict[str, tuple[str, datetime | None]], dict[str, datetime]]:
    """Each station's region and when its newest record that was on time was appended, None where all were late.

    Beside it the time of each station's newest observation.
    """
    found: dict[str, tuple[str, datetime | None]] = {}
    newest: dict[str, datetime] = {}
    for row in (told for station in rows(settings, SELECT_LATEST) for told in latest_in(station)):
        station, observed_at = row["station_id"], row["observed_at"].replace(tzinfo=UTC)
        is_late = (row["ingested_at"] - row["observed_at"]).total_seconds() > lateness_s
        seen = None if is_late else row["ingested_at"].replace(tzinfo=UTC)
        known = found.get(station, (None, None))[1]
        if seen is not None and (known is None or seen > known):
            known = seen
        found[station] = (row["region"], known)
        newest[station] = max(observed_at, newest.get(station, observed_at))
    return found, newest


def observations_of(
    settings: Settings, variables: Sequence[str], spans: Iterable[tuple[str, object, datetime, datetime]]
) -> Iterator[Row]:
    """Observations of (station, day, first, last) spans in their order, oldest first: values and flags of variables."""
    columns = [column for variable in variables for column in (variable, flag_of(variable))]
    select = select_observations(["station_id", "observed_at", *columns])
    cql = f"{select} AND observed_at >= ? AND observed_at <= ? ORDER BY observed_at ASC"
    for row in judged(rows_of_each(settings, cql, spans)):
        row["observed_at"] = row["observed_at"].replace(tzinfo=UTC)
        yield row


def panes_of(
    settings: Settings, variables: Sequence[str], spans: Iterable[tuple[str, object, datetime]]
) -> Iterator[Row]:
    """Panes of variables as the stream has made them, of (station, day, first window's start) until the day ends."""
    cql = f"{select_panes(variables)} AND window_start >= ?"
    for pane in (told for row in rows_of_each(settings, cql, spans) for told in level_1_panes_in(row, variables)):
        yield pane | {"window_start": pane["window_start"].replace(tzinfo=UTC)}


def _aware(row: Row) -> Row:
    return row | {name: row[name].replace(tzinfo=UTC) for name in _TIMES if row.get(name) is not None}


def _key(alert: Row) -> tuple[object, ...]:
    return tuple(alert[column] for column in ALERTS_BY_REGION.key)


def _acknowledgement(alert: Row) -> tuple[object, ...]:
    version = int(alert["acknowledged_at"].timestamp() * 1_000_000)
    return version, *(alert[column] for column in ACKNOWLEDGEMENT_COLUMNS), *_key(alert)


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
