"""The tables of the raw and the curated zone, and all datasets; renderings stand in `weahouse.schemas.render`."""

from __future__ import annotations

from weahouse.schemas.fields import FLAGS, MEASUREMENTS
from weahouse.schemas.gold import GOLD_DATASETS
from weahouse.schemas.kinds import Dataset

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
    sort_by=("partition", "offset"),
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
    sort_by=KEY,
)
CURATED_QUARANTINE = Dataset(
    "curated.quarantine",
    "Every record that could not be read as an observation, verbatim, with its reason and its coordinates.",
    columns=(*RECORD_COLUMNS, "reason", "ingest_hour"),
    primary_key=("partition", "offset"),
    partition_by=("ingest_hour",),
    required=("topic", "partition", "offset", "timestamp", "reason", "ingest_hour"),
    skip_by=("partition", "offset", "timestamp"),
    sort_by=("partition", "offset"),
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
CURATED_INGEST_UNITS = Dataset(
    "curated.ingest_units",
    "The ledger of curation: what was appended within an hour, and what became of it.",
    columns=(
        "ingest_hour",
        "offsets",
        "records",
        "quarantined",
        "readings",
        "late",
        "corrected",
        "parity_compared",
        "parity_violations",
        "earliest_observed_at",
        "latest_observed_at",
        "touched_hours",
        "deepened",
        "rules_version",
        "curated_version",
        "verdicts_version",
        "curated_at",
    ),
    primary_key=("ingest_hour",),
    required=(
        "ingest_hour",
        "offsets",
        "records",
        "quarantined",
        "readings",
        "curated_version",
        "verdicts_version",
        "curated_at",
    ),
)
# The row of curated.observations that a verdict judges; where that row has another version, the verdict is stale.
VERDICT_VERSION = ("ingested_at", "kafka_partition", "kafka_offset", "revision")
_VERDICT_COLUMNS = (
    *KEY,
    "observed_date",
    *VERDICT_VERSION,
    *FLAGS,
    "tests_applied",
    "tests_failed",
    "tests_excused",
    "quality_level",
    "rules_version",
)
CURATED_VERDICTS = Dataset(
    "curated.verdicts",
    "What levels 2 and 3 say of each row of curated.observations: its flags after all levels.",
    columns=_VERDICT_COLUMNS,
    primary_key=KEY,
    partition_by=("observed_date",),
    required=_VERDICT_COLUMNS,
    skip_by=(*KEY, "quality_level"),
)
_TRUST_KEY = ("station_id", "variable", "observed_date")
_TRUST_COLUMNS = (*_TRUST_KEY, "checks_applied", "checks_failed", "is_trusted")
CURATED_STATION_TRUST = Dataset(
    "curated.station_trust",
    "Per station, variable and day whether the variable is trusted on the day that follows.",
    columns=_TRUST_COLUMNS,
    primary_key=_TRUST_KEY,
    partition_by=("observed_date",),
    required=_TRUST_COLUMNS,
)
DATASETS = (
    RAW_OBSERVATIONS,
    CURATED_OBSERVATIONS,
    CURATED_QUARANTINE,
    CURATED_GAPS,
    CURATED_INGEST_UNITS,
    CURATED_VERDICTS,
    CURATED_STATION_TRUST,
    *GOLD_DATASETS,
)
ZONES = tuple(dict.fromkeys(dataset.zone for dataset in DATASETS))
# What is filled with many small files, each with one partition column.
COMPACTED = tuple(dataset for dataset in DATASETS if dataset.sort_by)

PANE_MINUTES = 10
QUERIES = ("archive", "observations")
