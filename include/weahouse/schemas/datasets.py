"""Every table, topic and path of the platform, as data. Renderings stand in `weahouse.schemas.render`."""

from __future__ import annotations

from dataclasses import dataclass

from weahouse.schemas.fields import FLAGS, MEASUREMENTS


@dataclass(frozen=True)
class Dataset:
    """A Delta table on HDFS; `name` is `zone.table`, its path `/weahouse/zone/table`.

    `skip_by`: columns of which the log keeps the least and greatest value of each file, and how many are missing,
    so that readers skip and count by them; where it is empty, the first 32. Every look at a table parses all of that.
    """

    name: str
    meaning: str
    columns: tuple[str, ...]
    primary_key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    skip_by: tuple[str, ...] = ()

    @property
    def zone(self) -> str:
        return self.name.partition(".")[0]

    @property
    def table(self) -> str:
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class ServingTable:
    """A Cassandra table, named by its query."""

    name: str
    meaning: str
    columns: tuple[str, ...]
    partition_key: tuple[str, ...]
    clustering: tuple[tuple[str, str], ...]
    compaction: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, ...]:
        return self.partition_key + tuple(column for column, _ in self.clustering)


@dataclass(frozen=True)
class Topic:
    """A Kafka topic; retention is a setting, and so are the partitions where none are given."""

    name: str
    meaning: str
    config: tuple[tuple[str, str], ...]
    partitions: int | None = None


KEY = ("station_id", "observed_at")
# Two records equal in these say the same. The stream's state holds them, so another choice needs a new checkpoint.
REPEAT_KEY = (*KEY, "payload_hash")
RECORD_COLUMNS = ("key", "value", "topic", "partition", "offset", "timestamp", "headers")
JUDGED_COLUMNS = ("tests_applied", "tests_failed", "quality_level", "rules_version")
OBSERVATION_COLUMNS = ("station_id", "observed_at", "region", "ingested_at", *MEASUREMENTS, *FLAGS, *JUDGED_COLUMNS)

RAW_OBSERVATIONS = Dataset(
    "raw.observations",
    "Every Kafka record of the observations topic, verbatim, with its coordinates.",
    columns=(*RECORD_COLUMNS, "ingest_hour"),
    primary_key=("partition", "offset"),
    partition_by=("ingest_hour",),
    required=("topic", "partition", "offset", "timestamp", "ingest_hour"),
    skip_by=("partition", "offset", "timestamp"),
)
CURATED_OBSERVATIONS = Dataset(
    "curated.observations",
    "One row per station and time: the newest record, judged.",
    columns=(
        "station_id",
        "observed_at",
        "observed_date",
        "ingested_at",
        "kafka_partition",
        "kafka_offset",
        "payload_hash",
        "revision",
        "late_by_s",
        "region",
        *MEASUREMENTS,
        *FLAGS,
        *JUDGED_COLUMNS,
    ),
    primary_key=KEY,
    partition_by=("observed_date",),
    required=(
        "station_id",
        "observed_at",
        "observed_date",
        "ingested_at",
        "kafka_partition",
        "kafka_offset",
        "payload_hash",
        "revision",
        "region",
        *FLAGS,
        *JUDGED_COLUMNS,
    ),
    skip_by=(*KEY, "ingested_at", "kafka_partition", "kafka_offset", "late_by_s"),
)
CURATED_QUARANTINE = Dataset(
    "curated.quarantine",
    "Every record that could not be read as an observation, verbatim, with its reason and its coordinates.",
    columns=(*RECORD_COLUMNS, "reason", "ingest_hour"),
    primary_key=("partition", "offset"),
    partition_by=("ingest_hour",),
    required=("topic", "partition", "offset", "timestamp", "reason", "ingest_hour"),
    skip_by=("partition", "offset", "timestamp"),
)
# Why offsets are lost, as `curated.gaps` says it.
TOPIC_RECREATED, OFFSETS_EXPIRED = "topic_recreated", "offsets_expired"
CURATED_GAPS = Dataset(
    "curated.gaps",
    "Ranges of offsets that were lost before Raw had them, each written down by a rebuild of the stream.",
    columns=(
        "topic",
        "topic_id",
        "partition",
        "from_offset",
        "to_offset",
        "cause",
        "noticed_at",
        "last_ingested_at",
    ),
    primary_key=("topic_id", "partition", "from_offset", "cause"),
    required=("topic", "topic_id", "partition", "from_offset", "cause", "noticed_at"),
)
GOLD_STATIONS = Dataset(
    "gold.stations",
    "The station registry: where each station stands.",
    columns=(
        "station_id",
        "region",
        "station_name",
        "country",
        "state",
        "call_sign",
        "latitude_deg",
        "longitude_deg",
        "elevation_m",
        "registry",
    ),
    primary_key=("station_id",),
    required=("station_id", "region", "registry"),
)
DATASETS = (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, CURATED_QUARANTINE, CURATED_GAPS, GOLD_STATIONS)

# One-day windows: a day is the unit of every read, and a full SSTable of it is never compacted with another day's.
_TIME_WINDOWS = (
    ("class", "TimeWindowCompactionStrategy"),
    ("compaction_window_unit", "DAYS"),
    ("compaction_window_size", "1"),
)
_UNIFIED = (("class", "UnifiedCompactionStrategy"),)

OBSERVATIONS_BY_STATION = ServingTable(
    "observations_by_station",
    "The observations of one station and UTC day, newest first.",
    columns=("station_id", "day", *(column for column in OBSERVATION_COLUMNS if column != "station_id")),
    partition_key=("station_id", "day"),
    clustering=(("observed_at", "DESC"),),
    compaction=_TIME_WINDOWS,
)
LATEST_BY_REGION = ServingTable(
    "latest_by_region",
    "The latest value of each variable of each station of one region; no row where there is no value.",
    columns=("region", "station_id", "variable", "observed_at", "ingested_at", "measured_value", "flag"),
    partition_key=("region",),
    clustering=(("station_id", "ASC"), ("variable", "ASC")),
    compaction=_UNIFIED,
)
SUMMARIES_BY_STATION = ServingTable(
    "summaries_by_station",
    "The 10-minute panes of one station and UTC day: mergeable statistics, one row per variable.",
    columns=(
        "station_id",
        "day",
        "variable",
        "window_start",
        "value_count",
        "suspect_count",
        "value_sum",
        "value_min",
        "value_max",
        "value_squared_deviations",
        "vector_count",
        "eastward_sum",
        "northward_sum",
    ),
    partition_key=("station_id", "day"),
    clustering=(("variable", "ASC"), ("window_start", "DESC")),
    compaction=_TIME_WINDOWS,
)
STATIONS_BY_REGION = ServingTable(
    "stations_by_region",
    "The stations of one region and where they stand.",
    columns=("region", *(column for column in GOLD_STATIONS.columns if column != "region")),
    partition_key=("region",),
    clustering=(("station_id", "ASC"),),
    compaction=_UNIFIED,
)
# Written by people; everything else of an alert by the stream, so that neither overwrites the other.
ACKNOWLEDGEMENT_COLUMNS = ("acknowledged_by", "acknowledged_at", "acknowledgement_note")
ALERT_COLUMNS = (
    "alert_id",
    "rule",
    "rule_version",
    "severity",
    "station_id",
    "region",
    "variable",
    "alert_state",
    "is_active",
    "first_window",
    "last_window",
    "event_at",
    "run_started_at",
    "cleared_at",
    "trigger_value",
    "peak_value",
    "peak_at",
    "limit_value",
    "raised_at",
    "detection_delay_s",
    "alert_revision",
    "superseded_by",
    *ACKNOWLEDGEMENT_COLUMNS,
)
ALERTS_BY_REGION = ServingTable(
    "alerts_by_region",
    "The alerts of one region and month, newest first.",
    columns=(
        "region",
        "month",
        "first_window",
        "alert_id",
        *(column for column in ALERT_COLUMNS if column not in ("region", "first_window", "alert_id")),
    ),
    partition_key=("region", "month"),
    clustering=(("first_window", "DESC"), ("alert_id", "ASC")),
    compaction=_UNIFIED,
)
SERVING_TABLES = (
    OBSERVATIONS_BY_STATION,
    LATEST_BY_REGION,
    SUMMARIES_BY_STATION,
    STATIONS_BY_REGION,
    ALERTS_BY_REGION,
)

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

# How a row of a serving table is written: a first write leaves missing values unset, an overwrite sets them to null.
INSERT, OVERWRITE, DELETE = 0, 1, 2
CONTROL_COLUMNS = ("write_mode", "version", "ingested_at_s")

PANE_MINUTES = 10
QUERIES = ("archive", "observations")
