"""The next state of a station's alerts: a function of the stored ones, its readings and the broker's time.

The alerts that are not withdrawn depend on the readings alone, whatever the order and the batches in which they came.
"""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from weahouse.alerts.alert import (
    CLEARED,
    HISTORICAL,
    RAISED,
    UPDATED,
    WITHDRAWN,
    Alert,
    Change,
    alert_id,
    next_version,
    revised,
)
from weahouse.alerts.conditions import points
from weahouse.alerts.episodes import Episode, episodes, lapsed, lapses_at
from weahouse.alerts.scope import STEP, WiderScopeError, settled
from weahouse.schemas.serving_tables import ACKNOWLEDGEMENT_COLUMNS
from weahouse.transforms.rolling import PANE, pane_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from weahouse.alerts.readings import Reading
    from weahouse.alerts.rules import AlertRules, Rule
    from weahouse.alerts.scope import Scope

# What changes when an alert merely goes on, or is judged by a rule with another comment: stored, and told to nobody.
_UNTOLD = frozenset(("last_window", "rule_version"))


def next_state(
    rules: AlertRules,
    previous: Sequence[Alert],
    readings: Sequence[Reading],
    scope: Scope,
    now: datetime,
    lateness: timedelta,
) -> list[Change]:
    """What changes among a station's alerts when `scope` is judged anew.

    `previous` are the station's stored alerts that may have been on within the scope or a quiet period before it;
    `readings` those from `scope.reads_from(rules)` to `scope.until`, in order; `now` the highest broker time that was
    seen. Judging twice changes nothing. Raises WiderScopeError.
    """
    changes: list[Change] = []
    for rule in rules.named(scope.names):
        stored = [alert for alert in previous if alert.rule == rule.name]
        found = _found(rules, rule, previous, readings, scope, now) if rule.applies_to(scope.region) else []
        changes += _changes(rule, stored, found, scope, now, lateness)
    return changes


def lapse(rule: Rule, alert: Alert, now: datetime, lateness: timedelta) -> Change | None:
    """The end of an active alert for which reports stay away; None while it goes on."""
    if not alert.is_active or now <= lapses_at(rule, alert.last_window):
        return None
    return _told(rule, alert, lapsed(rule, _episode(alert), now), now, lateness)


def _found(
    rules: AlertRules,
    rule: Rule,
    previous: Sequence[Alert],
    readings: Sequence[Reading],
    scope: Scope,
    now: datetime,
) -> list[Episode]:
    source = _source(previous, rule, scope)
    carried = _carried(rule, source, readings, scope) if source else None
    told = (point for point in points(rule, readings, scope.since) if point.at <= scope.until)
    found = episodes(rule, carried, told, now)
    if source and carried and rule.direction * (source.peak_value - found[0].peak_value) > 0:
        # Its peak was touched and is no longer: another lies somewhere before.
        raise WiderScopeError(settled(rules, previous, replace(scope, since=source.first_window)))
    if found and scope.until < now and _may_go_on(rule, found[-1], scope):
        further = max(STEP, scope.until - scope.since)
        raise WiderScopeError(settled(rules, previous, replace(scope, until=scope.until + further)))
    return found


def _may_go_on(rule: Rule, last: Episode, scope: Scope) -> bool:
    end = last.cleared_at or lapses_at(rule, last.last_window)
    return end >= scope.until and lapses_at(rule, last.last_window) >= scope.until


def _source(previous: Sequence[Alert], rule: Rule, scope: Scope) -> Alert | None:
    """The stored alert that was on when the scope begins, or that ended last before."""
    earlier = [
        alert
        for alert in previous
        if alert.rule == rule.name and alert.alert_state != WITHDRAWN and alert.event_at < scope.since
    ]
    return max(earlier, key=lambda alert: alert.event_at, default=None)


def _carried(rule: Rule, alert: Alert, readings: Sequence[Reading], scope: Scope) -> Episode:
    """The alert as it stood just before the scope."""
    episode = _episode(alert)
    if alert.cleared_at is not None and alert.cleared_at < scope.since:
        return episode
    if alert.last_window >= pane_start(scope.since):
        wanted = set(rule.variables)
        before = [r.observed_at for r in readings if r.observed_at < scope.since and wanted & r.values.keys()]
        if not before and scope.further < rule.gap:
            raise WiderScopeError(replace(scope, further=rule.gap))
        episode = replace(episode, last_window=pane_start(before[-1]) if before else alert.first_window)
    if alert.peak_at >= scope.since:
        episode = replace(episode, peak_value=-rule.direction * math.inf)
    return replace(episode, cleared_at=None)


def _changes(
    rule: Rule, stored: Sequence[Alert], found: Sequence[Episode], scope: Scope, now: datetime, lateness: timedelta
) -> list[Change]:
    by_id = {alert.alert_id: alert for alert in stored}
    derived = {alert_id(rule.name, scope.station_id, episode.first_window): episode for episode in found}
    gone = [
        alert
        for alert in stored
        if scope.since <= alert.event_at <= scope.until
        and alert.alert_state != WITHDRAWN
        and alert.alert_id not in derived
    ]
    changes = [_withdrawn(alert, derived, now) for alert in gone]
    for id_, episode in derived.items():
        before = by_id.get(id_)
        if before is None:
            changes.append(_new(rule, id_, episode, scope, _acknowledgement(gone, episode), now, lateness))
        elif change := _told(rule, before, episode, now, lateness):
            changes.append(change)
    return changes


def _withdrawn(alert: Alert, derived: dict[str, Episode], now: datetime) -> Change:
    heirs = (id_ for id_, e in derived.items() if e.overlaps(alert.event_at, alert.last_window + PANE))
    after = revised(alert, now, alert_state=WITHDRAWN, superseded_by=next(heirs, None))
    return Change(after, is_published=alert.alert_state != HISTORICAL)


def _acknowledgement(gone: Iterable[Alert], episode: Episode) -> dict[str, Any]:
    """Who took note of the alert whose place an episode takes has taken note of it too."""
    for alert in gone:
        if alert.acknowledged_at and episode.overlaps(alert.event_at, alert.last_window + PANE):
            return {column: getattr(alert, column) for column in ACKNOWLEDGEMENT_COLUMNS}
    return {}


def _new(
    rule: Rule,
    id_: str,
    episode: Episode,
    scope: Scope,
    acknowledgement: dict[str, Any],
    now: datetime,
    lateness: timedelta,
) -> Change:
    alert = Alert(
        alert_id=id_,
        station_id=scope.station_id,
        region=scope.region,
        **_of_rule(rule),
        **asdict(episode),
        alert_state=_first_state(episode, now, lateness),
        raised_at=now,
        detection_delay_s=(now - episode.event_at).total_seconds(),
        alert_revision=1,
        version=next_version(0, now),
        **acknowledgement,
    )
    return Change(alert, is_published=alert.alert_state != HISTORICAL)


def _told(rule: Rule, before: Alert, episode: Episode, now: datetime, lateness: timedelta) -> Change | None:
    """The change from a stored alert to what the readings say of it now; None where there is none."""
    changes = _of_rule(rule) | asdict(episode)
    different = {name for name, value in changes.items() if getattr(before, name) != value}
    if before.alert_state == WITHDRAWN:
        different.add("alert_state")
    if not different:
        return None
    if different <= _UNTOLD:
        return Change(replace(before, **changes, version=next_version(before.version, now)), is_published=False)
    after = revised(before, now, **changes, alert_state=_next_state(before, episode, now, lateness), superseded_by=None)
    return Change(after, is_published=after.alert_state != HISTORICAL)


def _first_state(episode: Episode, now: datetime, lateness: timedelta) -> str:
    if episode.cleared_at is None:
        return RAISED
    return HISTORICAL if now - (episode.last_window + PANE) > lateness else CLEARED


def _next_state(before: Alert, episode: Episode, now: datetime, lateness: timedelta) -> str:
    if before.alert_state in (HISTORICAL, WITHDRAWN):
        return _first_state(episode, now, lateness)
    return UPDATED if episode.cleared_at is None else CLEARED


def _of_rule(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "rule_version": rule.version,
        "severity": rule.severity,
        "limit_value": rule.limit,
    }


def _episode(alert: Alert) -> Episode:
    return Episode(**{name: getattr(alert, name) for name in Episode.__dataclass_fields__})
