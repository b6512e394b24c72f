"""What a person reads of a backfill's plan, as Markdown: the question in Airflow, and the command, show the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.orchestration.backfill_kinds import REPLAY
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_STATION_TRUST, CURATED_VERDICTS
from weahouse.schemas.fields import FLAG_NAMES
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES, GOLD_STATION_FEATURES
from weahouse.schemas.serving_tables import LATEST_BY_REGION, OBSERVATIONS_BY_STATION, SUMMARIES_BY_STATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from weahouse.orchestration.backfill_kinds import Kind

Told = dict[str, Any]

_SERVED = (OBSERVATIONS_BY_STATION, LATEST_BY_REGION, SUMMARIES_BY_STATION)
# By the zone that a recompute makes anew.
_TABLES = {
    "curated": (CURATED_OBSERVATIONS, CURATED_VERDICTS, CURATED_STATION_TRUST),
    "gold": (GOLD_HOURLY_SUMMARIES, GOLD_DAILY_SUMMARIES, GOLD_STATION_FEATURES),
}
_UNITS_SHOWN = 12


def question(kind: Kind, plan: Told) -> str:
    """The one line that is asked."""
    if kind is REPLAY:
        return f"Replay {_many(plan['records'], 'record')}?"
    return f"Make {_many(plan['hours'], 'hour')} of observation anew from Raw?"


def page(kind: Kind, plan: Told, preview: Told | None = None) -> str:
    """The plan, and what would change where that was looked at."""
    return _replay(plan) if kind is REPLAY else _recompute(plan, preview)


def _replay(plan: Told) -> str:
    told = [
        ("records", f"{plan['records']:,}, of which {plan['from_raw']:,} from Raw"),
        ("hours of observation", f"{plan['hours']:,}, as far as these records are curated"),
        ("only stations", _names(plan["stations"])),
        ("only regions", _names(plan["regions"])),
        ("tables", f"`{CURATED_OBSERVATIONS.name}`; {_served()}: where they lack what the records say"),
        ("verdicts and Gold", "follow when the hours of append time are curated again (`observation_curation`)"),
        *_about(plan),
    ]
    lost = sum(plan["expired"].values()) - plan["from_raw"]
    warning = f"**{lost:,} records have expired** from the topic, and are read from nowhere.\n\n" if lost > 0 else ""
    return f"{_pairs(told)}\n\n{warning}{_partitions(plan)}"


def _partitions(plan: Told) -> str:
    rows = []
    for partition in sorted(plan["start"], key=int):
        start, end, expired, raw_until = (
            plan.get(name, {}).get(partition, 0) for name in ("start", "end", "expired", "raw_until")
        )
        of_raw = max(0, min(raw_until, end) - start)
        if end > start or expired:
            rows.append((partition, *(f"{number:,}" for number in (start, end, end - start, of_raw, expired))))
    others = len(plan["start"]) - len(rows)
    rest = f"\nOf {_many(others, 'other partition')} nothing is read.\n" if others else ""
    heading = ("partition", "from offset", "to offset", "offsets", "of these in Raw", "expired from the topic")
    return f"{_table(heading, rows, numbers=5)}\n{rest}"


def _recompute(plan: Told, preview: Told | None) -> str:
    span = f"{_minute(plan['start'])} to {_minute(plan['end'])} UTC"
    left_alone = f"{_many(plan['not_curated'], 'hour')} of append time: what they hold of the range stays as it is"
    tables = [f"`{table.name}`" for zone in plan["zones"] for table in _TABLES[zone]]
    told = [
        ("range", f"{span}: {_many(plan['hours'], 'hour')} of observation"),
        ("records", f"{plan['records']:,}, in the hours of append time {_units(plan['units'])}"),
        ("not curated yet", left_alone if plan["not_curated"] else ""),
        ("only stations", _names(plan["stations"])),
        ("rules", f"`{plan['rules_version']}`, {plan['rules_file'] or 'the present ones'}"),
        ("tables", ", ".join(tables) + (f"; {_served()}" if "curated" in plan["zones"] else "")),
        *_about(plan),
        ("undo", f"within 7 days: `weahouse lake undo {plan['run_id']}`"),
    ]
    return f"{_pairs(told)}\n\n{_changes(preview)}"


def _changes(preview: Told | None) -> str:
    if preview is None:
        return ""
    told = (
        f"**{_many(preview['changed_flags'], 'flag')} would change**; of the readings {preview['updated']:,} would be "
        f"written anew, {preview['inserted']:,} added, {preview['unchanged']:,} stay as they are.\n"
    )
    if not preview["changes"]:
        return told
    rows = [
        (row["station_id"], row["variable"], _flag(row["flag_now"]), _flag(row["flag_then"]), f"{row['readings']:,}")
        for row in preview["changes"]
    ]
    rest = preview["changed_flags"] - sum(row["readings"] for row in preview["changes"])
    more = f"\nAnd {rest:,} more, of rarer changes.\n" if rest else ""
    return f"{told}\n{_table(('station', 'variable', 'flag now', 'then', 'readings'), rows, numbers=1)}\n{more}"


def _about(plan: Told) -> list[tuple[str, str]]:
    return [
        ("time", f"about {_duration(plan['estimated_s'])}"),
        ("reason", plan["reason"] or "none was given"),
        ("run", f"`{plan['run_id']}`: the same again goes on where it broke off, or does nothing where all is done"),
    ]


def _names(found: Sequence[str]) -> str:
    return ", ".join(f"`{each}`" for each in found)


def _served() -> str:
    return f"Cassandra's {', '.join(f'`{table.name}`' for table in _SERVED)}"


def _units(units: Sequence[str]) -> str:
    more = f" and {len(units) - _UNITS_SHOWN} more" if len(units) > _UNITS_SHOWN else ""
    return ", ".join(unit.replace("..", " to ") for unit in units[:_UNITS_SHOWN]) + more


def _flag(number: int) -> str:
    return FLAG_NAMES.get(number, str(number)).replace("_", " ")


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _minute(time: str) -> str:
    return time.replace("T", " ").removesuffix("Z").removesuffix(":00")


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} minutes"


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    """What there is to say of each; nothing of what has no text."""
    return _table(("", ""), [(f"**{name}**", text) for name, text in rows if text])


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """A table of Markdown, the last columns of `numbers` to the right."""
    words = len(heading) - numbers
    lines = [heading, ["---"] * words + ["---:"] * numbers, *[[_cell(cell) for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """What a person has written, in one cell, whatever it is."""
    return " ".join(text.replace("|", "\\|").split())
