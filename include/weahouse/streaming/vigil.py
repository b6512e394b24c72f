"""What no reading tells: stations that have fallen silent, and alerts that end because reports stay away.

Both are judged against the broker's clock, and only as far as the stream has caught up with it: a station is not silent
because its records still wait in the topic. The stream has caught up when a batch took everything that there was, or
when, after a look at the clock, the topic holds nothing that was not committed.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weahouse.alerts.alert import CLEARED, Change, revised
from weahouse.alerts.rules import SILENCE
from weahouse.alerts.silence import next_silence
from weahouse.alerts.state import lapse
from weahouse.io import kafka
from weahouse.io.kafka import KafkaError, broker_time, end_offsets, ensure_topic
from weahouse.schemas.topics import CLOCK_TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.alerts.rules import AlertRules
    from weahouse.streaming.alerts import Alerts
    from weahouse.streaming.run import Run

log = logging.getLogger("weahouse.stream")

# The shortest time that a rule knows is a minute.
_EVERY_S = 10.0
# A broker that is away is asked again at the next turn; the driver's loop must not stand still for it.
_PATIENCE_S = 2.0


class Vigil:
    """Looks at the clock every ten seconds."""

    def __init__(self, run: Run, rules: AlertRules, alerts: Alerts) -> None:
        self._run = run
        self._rules = {rule.name: rule for rule in rules.rules}
        self._silences = rules.of_silence
        self._alerts = alerts
        self._producer = kafka.producer(run.settings, **{"log_level": 2, "linger.ms": 0})
        self._committed: dict[int, int] = {}
        self._looked_at = 0.0
        # Everything that was appended before this has been judged.
        self._until = datetime.fromtimestamp(0, UTC)

    def begin(self, committed: dict[str, dict[str, int]]) -> None:
        """Where the last driver ended: in a network that is silent altogether no batch will tell."""
        ensure_topic(self._run.settings, CLOCK_TOPIC)
        self._committed = _offsets(committed, self._run.settings.observations_topic)

    def settled(self, progress: dict[str, Any]) -> None:
        """A batch's progress, after its alerts were judged."""
        source, topic = progress["sources"][0], self._run.settings.observations_topic
        end, newest = (_offsets(source.get(name), topic) for name in ("endOffset", "latestOffset"))
        self._committed = end or self._committed
        if end and end == newest:
            self._until = max(self._until, self._alerts.now)

    def keep(self) -> None:
        """Judge silences and lapses, when it is time to."""
        if time.monotonic() - self._looked_at < _EVERY_S:
            return
        self._looked_at = time.monotonic()
        self._look_at_the_clock()
        self._alerts.store(list(self._changes()))

    def _look_at_the_clock(self) -> None:
        try:
            now = broker_time(self._producer, _PATIENCE_S)
            # Asked after the time: whatever was appended before it lies before these offsets.
            ends = end_offsets(self._run.settings)
        except KafkaError as error:
            log.debug("the broker's time is not known: %s", error)
            return
        if all(self._committed.get(partition, 0) >= end for partition, end in ends.items()):
            self._until = max(self._until, now)
            self._alerts.now = max(self._alerts.now, now)

    def _changes(self) -> Iterator[Change]:
        lateness = self._run.settings.lateness
        for alert in [alert for alerts in self._alerts.active.values() for alert in alerts.values()]:
            rule = self._rules.get(alert.rule)
            if rule is None:
                # Its rule is gone from the file: nobody can tell whether it still holds.
                yield Change(
                    revised(alert, self._until, alert_state=CLEARED, cleared_at=self._until), is_published=True
                )
            elif rule.kind != SILENCE and (change := lapse(rule, alert, self._until, lateness)):
                yield change
        for rule in self._silences:
            for station_id, (region, seen) in self._alerts.seen.items():
                held = self._alerts.active.get(station_id)
                if seen is None or not (held or self._until - seen >= rule.after):
                    continue
                active = next((alert for alert in held.values() if alert.rule == rule.name), None) if held else None
                yield from next_silence(rule, active, station_id, region, seen, self._until)


def _offsets(given: Any, topic: str) -> dict[int, int]:
    told = json.loads(given) if isinstance(given, str) else given or {}
    return {int(partition): offset for partition, offset in told.get(topic, {}).items()}
