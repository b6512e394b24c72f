"""The evaluation of alerts: after a batch was committed, in the driver, over what the batch touched.

It reads the observations that the touched time needs back from Cassandra, station by station, and judges them with the
pure functions of `weahouse.alerts`. A batch counts as settled only when its alerts are published and stored, so that a
driver that dies in between has it done again, which changes nothing that was done.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from weahouse.alerts.alert import Alert, months_of
from weahouse.alerts.episodes import LONGEST
from weahouse.alerts.intervals import Interval, groups, intervals_of, rounds
from weahouse.alerts.readings import trusted
from weahouse.alerts.scope import WiderScopeError, scope_of
from weahouse.alerts.state import next_state
from weahouse.alerts.watch import Touched, Watch, touched_of
from weahouse.io import alerts as io
from weahouse.io.kafka import ensure_topic
from weahouse.schemas.topics import ALERTS_TOPIC
from weahouse.streaming.extent import days_in_a_row
from weahouse.streaming.fault_points import ALERTS_TOLD, reached
from weahouse.streaming.fencing import StopRequestedError, check_epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pyarrow as pa

    from weahouse.alerts.alert import Change
    from weahouse.alerts.readings import Reading
    from weahouse.alerts.rules import AlertRules
    from weahouse.alerts.scope import Scope
    from weahouse.io.cassandra import Row
    from weahouse.streaming.notes import Changed
    from weahouse.streaming.run import Run

log = logging.getLogger("weahouse.stream")

_ROWS_AT_ONCE = 10_000
# Where the alerts stand that may still matter: none is on for longer, and a rule's gap and quiet period last a week
# each at most.
_EARLIER = LONGEST + timedelta(days=14)
_NEVER = datetime.fromtimestamp(0, UTC)


class Alerts:
    """What is known of alerts between batches: the active ones, the months that were looked at, and who was seen when.

    This driver is the only writer of alerts; people only acknowledge them, which is read anew before each judgement.
    """

    def __init__(self, run: Run, rules: AlertRules, turn: Callable[[], None] = lambda: None) -> None:
        self._run = run
        self._rules = rules
        self._turn = turn
        self._names = {rule.name for rule in rules.of_values}
        self._watch = Watch(rules)
        self._publisher = io.Publisher(run.settings)
        self._months: dict[tuple[str, str], dict[str, dict[str, Alert]]] = {}
        self.active: dict[str, dict[str, Alert]] = defaultdict(dict)
        # By station: its region, and when its newest record that was on time was appended.
        self.seen: dict[str, tuple[str, datetime | None]] = {}
        # By station that was seen by former drivers: the time of its newest observation.
        self._newest: dict[str, datetime] = {}
        self.now = _NEVER

    def load(self) -> None:
        """What former drivers left: active alerts, and when each station was seen."""
        settings = self._run.settings
        ensure_topic(settings, ALERTS_TOPIC)
        for row in self._run.through_cassandra(lambda: list(io.active_alerts(settings))):
            self._keep(Alert.of(row))
        seen, self._newest = self._run.through_cassandra(
            lambda: io.last_seen(settings, settings.lateness.total_seconds())
        )
        self.seen |= seen

    def judge(self, touched: Iterable[pa.Table]) -> int:
        """Judge what committed batches touched; how many alerts changed."""
        near = [block for table in touched for block in self._near(table)]
        return self._judge(intervals_of(near))

    def judge_again(self, judged: Iterable[Changed]) -> int:
        """Judge observations of which levels 2 and 3 say something else than before; how many alerts changed."""
        found = (Interval(*each, names=frozenset(self._names)) for each in sorted(judged))
        return self._judge(found)

    @property
    def knows_the_time(self) -> bool:
        """Whether a batch or the broker has told it; before that, every observation would lie in the future."""
        return self.now > _NEVER

    def _judge(self, intervals: Iterable[Interval]) -> int:
        changed = 0
        for stations in rounds(intervals):
            for group in groups(stations):
                self._turn()
                changed += self._judge_group(group)
        self._forget_months()
        return changed

    def store(self, changes: Sequence[Change]) -> int:
        """Publish changes and store them, in this order; how many."""
        if not changes:
            return 0
        check_epoch(self._run.hdfs, self._run.settings.hdfs_root, self._run.epoch)
        told = [change.alert.row() for change in changes if change.is_published]
        self._publisher.publish(told, self._wait_for_kafka)
        reached(ALERTS_TOLD)
        if self._run.waiting_on == "kafka":
            self._run.waiting_on = None
        rows = [
            change.alert.row() | {"month": change.alert.month, "version": change.alert.version} for change in changes
        ]
        self._run.through_cassandra(lambda: io.write_alerts(self._run.settings, rows))
        for change in changes:
            self._keep(change.alert)
        if told:
            log.info("alerts: %d published, %d stored", len(told), len(rows))
        return len(changes)

    def _near(self, table: pa.Table) -> Iterator[Touched]:
        """The touched blocks in which an alert may begin, change or end, with the rules whose alert that is."""
        # A station's blocks must be looked at in their order.
        in_order = table.sort_by([("station_id", "ascending"), ("first_at", "ascending")])
        for batch in in_order.to_batches(_ROWS_AT_ONCE):
            self._turn()
            rows = [touched_of(row) for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
            self._recall({touched.station_id for touched in rows})
            looked = [(touched, self._watch.near(touched)) for touched in rows]
            for touched in rows:
                self._see(touched)
            # Alerts that stand already matter too; their months are looked up together.
            self._look_up(
                {(t.region, month) for t, _ in looked for month in months_of(t.first_at - _EARLIER, t.last_at)}
            )
            for touched, near in looked:
                if names := self._to_judge(touched, near):
                    yield replace(touched, names=names)

    def _recall(self, station_ids: set[str]) -> None:
        """Recall the past of stations that former drivers have seen and this one has not."""
        unknown = sorted(self._newest.keys() & station_ids)
        if not unknown:
            return
        spans = [
            (station, day, begin)
            for station in unknown
            for begin in [self._watch.looks_back_to(self._newest[station])]
            for day in days_in_a_row(begin.date(), self._newest[station].date())
        ]
        variables = self._rules.variables
        panes: defaultdict[str, list[Row]] = defaultdict(list)
        for pane in self._run.through_cassandra(lambda: list(io.panes_of(self._run.settings, variables, spans))):
            panes[pane["station_id"]].append(pane)
        for station in unknown:
            self._watch.recall(station, self._newest.pop(station), panes[station])

    def _see(self, touched: Touched) -> None:
        self.now = max(self.now, touched.ingested_at)
        known = self.seen.get(touched.station_id, (None, None))[1]
        newest = max((at for at in (known, touched.seen_at) if at is not None), default=None)
        self.seen[touched.station_id] = (touched.region, newest)

    def _to_judge(self, touched: Touched, near: frozenset[str]) -> frozenset[str]:
        """Of the rules that are near, and of those whose alert was or is on: the ones that a block may say more of."""
        alerts = self._alerts_of(touched.station_id, touched.region, touched.first_at, touched.last_at)
        concerned = {alert.rule for alert in alerts if alert.is_active or _overlap(alert, touched)}
        known = {alert.rule for alert in alerts if alert.is_active and self._watch.adds_nothing(touched, alert)}
        return (near | concerned) - known

    def _alerts_of(self, station_id: str, region: str, first: datetime, last: datetime) -> list[Alert]:
        """The station's alerts of values that are active or begin in a span or a month before; months are looked up."""
        found = {
            alert.alert_id: alert
            for month in months_of(first - _EARLIER, last)
            for alert in self._months.get((region, month), {}).get(station_id, {}).values()
        }
        return [a for a in (found | self.active.get(station_id, {})).values() if a.rule in self._names]

    def _look_up(self, partitions: set[tuple[str, str]]) -> None:
        """Hold the alerts of (region, month) partitions that are not held yet."""
        wanted = sorted(partitions - self._months.keys())
        if not wanted:
            return
        rows = self._run.through_cassandra(lambda: list(io.alerts_of(self._run.settings, wanted)))
        for partition in wanted:
            self._months[partition] = defaultdict(dict)
        for row in rows:
            self._keep(Alert.of(row))

    def _judge_group(self, intervals: Sequence[Interval]) -> int:
        waiting = [(interval, self._scope(interval)) for interval in intervals]
        changes: list[Change] = []
        while waiting:
            readings = self._read([scope for _, scope in waiting])
            previous = self._previous([scope for _, scope in waiting])
            wider = []
            for interval, scope in waiting:
                read, before = readings[scope.station_id], previous[scope.station_id]
                try:
                    changes += next_state(self._rules, before, read, scope, self.now, self._run.settings.lateness)
                except WiderScopeError as error:
                    wider.append((interval, error.scope))
            waiting = wider
        return self.store(changes)

    def _scope(self, interval: Interval) -> Scope:
        self._look_up({(interval.region, month) for month in months_of(interval.first - _EARLIER, interval.last)})
        held = self._alerts_of(interval.station_id, interval.region, interval.first, interval.last)
        return scope_of(
            self._rules, held, interval.station_id, interval.region, interval.first, interval.last, interval.names
        )

    def _previous(self, scopes: Sequence[Scope]) -> dict[str, list[Alert]]:
        """The stored alerts of each scope's station, with what people have noted since."""
        self._look_up({(s.region, month) for s in scopes for month in months_of(s.since - _EARLIER, s.until)})
        held = {s.station_id: self._alerts_of(s.station_id, s.region, s.since, s.until) for s in scopes}
        alerts = [alert for station in held.values() for alert in station]
        keys = [alert.stored() for alert in alerts]
        noted = self._run.through_cassandra(lambda: io.acknowledgements(self._run.settings, keys))
        fresh = {
            alert.alert_id: replace(
                alert,
                acknowledged_by=note["acknowledged_by"],
                acknowledged_at=note["acknowledged_at"],
                acknowledgement_note=note["acknowledgement_note"],
            )
            for alert, note in zip(alerts, noted, strict=True)
        }
        return {station: [fresh[alert.alert_id] for alert in before] for station, before in held.items()}

    def _read(self, scopes: Sequence[Scope]) -> dict[str, list[Reading]]:
        tomorrow = self.now + timedelta(days=1)
        spans = [
            (scope.station_id, day, begin, scope.until)
            for scope in scopes
            for begin in [scope.reads_from(self._rules)]
            for day in days_in_a_row(begin.date(), min(scope.until, tomorrow).date())
        ]
        wanted = {v for scope in scopes for rule in self._rules.named(scope.names) for v in rule.variables}
        variables = sorted(wanted)

        def read() -> dict[str, list[Row]]:
            found: defaultdict[str, list[Row]] = defaultdict(list)
            for row in io.observations_of(self._run.settings, variables, spans):
                found[row["station_id"]].append(row)
            return found

        rows = self._run.through_cassandra(read)
        return {scope.station_id: list(trusted(rows.get(scope.station_id, ()), variables)) for scope in scopes}

    def _keep(self, alert: Alert) -> None:
        by_station = self._months.get((alert.region, alert.month))
        if by_station is not None:
            by_station[alert.station_id][alert.alert_id] = alert
        if alert.is_active:
            self.active[alert.station_id][alert.alert_id] = alert
        else:
            self.active[alert.station_id].pop(alert.alert_id, None)

    def _forget_months(self) -> None:
        """Hold the months of live readings only: a load of former years would leave each of its own behind."""
        live = set(months_of(self.now - _EARLIER, self.now))
        self._months = {(region, month): held for (region, month), held in self._months.items() if month in live}

    def _wait_for_kafka(self) -> None:
        self._run.waiting_on = "kafka"
        self._turn()
        if self._run.stopping.is_set():
            raise StopRequestedError("the stream was asked to stop while it waited for Kafka")


def _overlap(alert: Alert, touched: Touched) -> bool:
    return alert.first_window <= touched.last_at and touched.first_at <= (alert.cleared_at or touched.first_at)
