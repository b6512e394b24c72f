"""The kinds of backfills, and what a person is asked for each: fields of a form in Airflow, options of the command.

Imports next to nothing, for the command's help is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Where a replay reads records from: with `auto` from the topic, and what has expired from it from Raw.
AUTO, KAFKA, RAW = "auto", "kafka", "raw"
SOURCES = {
    AUTO: "auto: the topic, and Raw for what has expired from it",
    KAFKA: "kafka: the topic alone",
    RAW: "raw: Raw alone",
}
ZONES = {
    "curated": "Curated, with its flags, verdicts and Cassandra",
    "gold": "Gold: hours, days and features",
}
_NARROWED, _BY_OFFSETS = "Only a part of it", "Offsets instead of times, and where they are read"
DRY_RUN, REASON = "dry_run", "reason"


@dataclass(frozen=True)
class Asked:
    """A parameter of a Dag: title, description, JSON Schema; one that is required has no default, not even None."""

    title: str
    description: str
    schema: Mapping[str, Any]
    default: Any = None
    is_required: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of backfill: its Dag, what it is for, its parameters, and the tasks that a person hears from.

    `example`: options of the command, for its help.
    """

    dag_id: str
    purpose: str
    asks: Mapping[str, Asked]
    plan_task: str
    work_task: str
    example: str
    preview_task: str | None = None
    approval_task: str = field(default="approve_plan")


def _time(title: str, description: str, *, is_required: bool = False) -> Asked:
    schema = {"type": "string" if is_required else ["null", "string"], "format": "date-time"}
    return Asked(title, description, schema, is_required=is_required)


def _text(title: str, description: str, **schema: Any) -> Asked:
    return Asked(title, description, {"type": ["null", "string"], **schema})


def _names(title: str, description: str) -> Asked:
    return Asked(title, description, {"type": ["null", "array"], "items": {"type": "string"}, "section": _NARROWED})


_STATIONS = _names("Stations", "Their ids, such as 724940:23234; none: all.")
_WHY = _text("Reason", "Why, in a few words; kept in the ledger. A dry run needs none.")

REPLAY = Kind(
    dag_id="kafka_replay",
    purpose="Read records of the topic once more: for what a fault has left out of the tables.",
    asks={
        "start": _time("Appended from", "Records that came in from this time on."),
        "end": _time("Appended to", "Records that came in before this time."),
        REASON: _WHY,
        DRY_RUN: Asked("Dry run", "Make the plan, and change nothing.", {"type": "boolean"}, default=True),
        "regions": _names("Regions", "Such as us-ca; none: all."),
        "stations": _STATIONS,
        "start_offsets": _text(
            "From offsets",
            'By partition, such as {"0": 120, "1": 98}; one that is not named, from its first record. {}: all.',
            section=_BY_OFFSETS,
        ),
        "end_offsets": _text(
            "To offsets",
            'Exclusive, such as {"0": 180}; a partition that is not named, to its last record. {}: all.',
            section=_BY_OFFSETS,
        ),
        "source": Asked(
            "Source",
            "What has expired from the topic is in Raw.",
            {"type": "string", "enum": list(SOURCES), "values_display": SOURCES, "section": _BY_OFFSETS},
            default=AUTO,
        ),
    },
    plan_task="plan_replay",
    work_task="replay_observations",
    example="--start 2024-05-01T12:00:00Z --end 2024-05-01T13:00:00Z",
)
RECOMPUTE = Kind(
    dag_id="raw_recompute",
    purpose="Make a range of times of observation anew from Raw: for rules that have changed, or are to be tried.",
    asks={
        "start": _time("Observed from", "Readings of this time and later.", is_required=True),
        "end": _time("Observed to", "Readings before this time.", is_required=True),
        REASON: _WHY,
        DRY_RUN: Asked(
            "Dry run",
            "Make the plan, say which flags would change, and change nothing. A change can be undone for 7 days.",
            {"type": "boolean"},
            default=True,
        ),
        "rules_file": _text(
            "Rules file",
            "Absolute path, on the machine of Airflow's tasks, of other rules to judge by; empty: the present ones.",
        ),
        "zones": Asked(
            "Zones",
            "What is made anew.",
            {
                "type": "array",
                "items": {"type": "string", "enum": list(ZONES)},
                "examples": list(ZONES),
                "values_display": ZONES,
                "section": _NARROWED,
            },
            default=list(ZONES),
        ),
        "stations": _STATIONS,
    },
    plan_task="plan_recompute",
    preview_task="preview_recompute",
    work_task="recompute_observations",
    example="--start 2024-05-01T00:00:00Z --end 2024-05-02T00:00:00Z --rules-file $PWD/rules.yaml",
)
KINDS = {kind.dag_id: kind for kind in (REPLAY, RECOMPUTE)}
