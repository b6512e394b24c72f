"""The tables of Cassandra, each named by the query that it serves."""

from __future__ import annotations

from weahouse.schemas.datasets import JUDGED_COLUMNS, OBSERVATION_COLUMNS
from weahouse.schemas.fields import FLAGS, LATEST, PANES
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.kinds import ServingTable, UserType

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
    judged_by="verdict",
)
VERDICT = UserType(
    "verdict",
    "What levels 2 and 3 say of an observation: masks of all levels, and those flags that are worse than level 1's.",
    columns=("judged_version", *JUDGED_COLUMNS, *FLAGS),
)
LATEST_VALUE = UserType(
    "latest_value",
    "The newest value of one variable of a station.",
    columns=("observed_at", "ingested_at", "measured_value", "flag"),
)
LATEST_BY_REGION = ServingTable(
    "latest_by_region",
    "The latest value of each variable of each station of one region: one row a station, one column a variable.",
    columns=("region", "station_id", *LATEST),
    partition_key=("region",),
    clustering=(("station_id", "ASC"),),
    compaction=_UNIFIED,
    # Nine values with two times.
    rows_per_request=10,
    judged_by="judged_values",
)
JUDGED_VALUES = UserType(
    "judged_values",
    "Those latest values of a station of which levels 2 and 3 make the flag worse, with that flag.",
    columns=tuple(LATEST),
)
PANE = UserType(
    "pane",
    "Mergeable statistics of one variable over a window of 10 minutes.",
    columns=(
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
)
SUMMARIES_BY_STATION = ServingTable(
    "summaries_by_station",
    "The 10-minute panes of one station and UTC day, newest first: one row a window, one column a variable.",
    columns=("station_id", "day", "window_start", "pane_version", *PANES),
    partition_key=("station_id", "day"),
    clustering=(("window_start", "DESC"),),
    compaction=_TIME_WINDOWS,
    # Nine panes of nine numbers.
    rows_per_request=6,
    judged_by="judged_panes",
)
JUDGED_PANES = UserType(
    "judged_panes",
    "Those panes of a window that levels 2 and 3 alter, as they are then; one without values is none.",
    columns=("judged_version", *PANES),
)
STATIONS_BY_REGION = ServingTable(
    "stations_by_region",
    "The stations of one region and where they stand.",
    columns=("region", *(column for column in GOLD_STATIONS.columns if column not in ("region", "registered_at"))),
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
FORECASTS_BY_STATION = ServingTable(
    "forecasts_by_station",
    "The latest forecasts of one station: one row for each predictand and lead time.",
    columns=(
        "station_id",
        "predictand",
        "lead_time_h",
        "issued_at",
        "valid_at",
        "predicted_value",
        "lower_bound",
        "upper_bound",
        "model_name",
        "model_version",
    ),
    partition_key=("station_id",),
    clustering=(("predictand", "ASC"), ("lead_time_h", "ASC")),
    compaction=_UNIFIED,
)
SERVING_TABLES = (
    OBSERVATIONS_BY_STATION,
    LATEST_BY_REGION,
    SUMMARIES_BY_STATION,
    STATIONS_BY_REGION,
    ALERTS_BY_REGION,
    FORECASTS_BY_STATION,
)
# In the order in which one is made of another.
USER_TYPES = (LATEST_VALUE, PANE, VERDICT, JUDGED_VALUES, JUDGED_PANES)

# How a row of a serving table is written: a first write leaves missing values unset, an overwrite sets them to null.
INSERT, OVERWRITE, DELETE = 0, 1, 2
CONTROL_COLUMNS = ("write_mode", "version", "ingested_at_s")
