"""Words of alerts."""

from __future__ import annotations

from weahouse.schemas.kinds import Field

# Values of an alert are in the unit of the rule's variable, of a silence in minutes.
ALERT: dict[str, Field] = {
    "alert_id": Field("string", "Hash of rule, station and first window"),
    "month": Field("string", "UTC month of first_window, e.g. 2024-05"),
    "rule": Field("string", "Name of the rule"),
    "rule_version": Field("string", "Content hash of the rule"),
    "severity": Field("string", "minor, moderate, severe or extreme, as the Common Alerting Protocol has them"),
    "alert_state": Field("string", "raised, updated, cleared, acknowledged, withdrawn or historical"),
    "is_active": Field("boolean", "Whether the condition holds as far as is known"),
    "first_window": Field("timestamp", "Start of the 10-minute pane in which the condition was met first, UTC"),
    "last_window": Field("timestamp", "Start of the newest pane in which the condition held, UTC"),
    "event_at": Field("timestamp", "When the condition was met first: the time of the observation, UTC"),
    "run_started_at": Field("timestamp", "When it was met again after it had cleared within the quiet period, UTC"),
    "cleared_at": Field("timestamp", "When the condition ended, UTC"),
    "trigger_value": Field("double", "Value with which the condition was met first"),
    "peak_value": Field("double", "Most extreme value while the condition held"),
    "peak_at": Field("timestamp", "When it was observed, UTC"),
    "limit_value": Field("double", "Limit that the rule sets"),
    "raised_at": Field("timestamp", "Broker time at which the alert was found, UTC"),
    "detection_delay_s": Field("double", "raised_at - event_at", "s"),
    "alert_revision": Field("int", "Grows with each change that the stream publishes"),
    "superseded_by": Field("string", "The alert that took this one's place when late data moved its beginning"),
    "acknowledged_by": Field("string", "Who has taken note"),
    "acknowledged_at": Field("timestamp", "When it was taken note of, UTC"),
    "acknowledgement_note": Field("string", "What was noted"),
}
