"""The topics of Kafka."""

from __future__ import annotations

from weahouse.schemas.kinds import Topic

OBSERVATIONS_TOPIC = Topic(
    "weather.observations.v1",
    "Station readings as JSON, keyed by station_id; the timestamp is the broker's append time.",
    config=(
        ("message.timestamp.type", "LogAppendTime"),
        ("max.message.bytes", str(1024 * 1024)),
        ("cleanup.policy", "delete"),
    ),
)
ALERTS_TOPIC = Topic(
    "weather.alerts.v1",
    "Alerts as JSON, keyed by station_id: one message for each revision of each alert, at least once.",
    config=(("message.timestamp.type", "LogAppendTime"), ("cleanup.policy", "delete")),
    # A thousandth of the readings: partitions only bound how many consumers may share them.
    partitions=3,
)
# A broker tells its time only on a record that it has just appended: a minute of such records is enough to keep.
CLOCK_TOPIC = Topic(
    "weahouse.clock",
    "Empty records, appended to learn the broker's time.",
    config=(("message.timestamp.type", "LogAppendTime"), ("cleanup.policy", "delete"), ("retention.ms", "60000")),
    partitions=1,
)
