"""What a person reads of a plan before approving it."""

from __future__ import annotations

from typing import Any

from weahouse.orchestration.backfill_kinds import RECOMPUTE, REPLAY
from weahouse.orchestration.backfill_pages import page, question

REPLAYED: dict[str, Any] = {
    "run_id": "a1b2",
    "start": {"0": 4, "1": 0, "2": 7},
    "end": {"0": 1040, "1": 50, "2": 7},
    "regions": [],
    "stations": ["a|b"],
    "reason": "a gap\nof last night",
    "raw_until": {"0": 10},
    "records": 1086,
    "hours": 3,
    "expired": {"0": 6},
    "from_raw": 6,
    "estimated_s": 30,
}
RECOMPUTED: dict[str, Any] = {
    "run_id": "c3d4",
    "start": "2024-05-01T00:00:00Z",
    "end": "2024-05-02T12:30:00Z",
    "zones": ["curated", "gold"],
    "stations": [],
    "rules_file": None,
    "rules_version": "9f",
    "units": ["2024-05-01T01..2024-05-01T03", "2024-05-02T00"],
    "reason": "",
    "records": 400,
    "hours": 1,
    "not_curated": 2,
    "estimated_s": 600,
}
CHANGE = {"station_id": "a", "variable": "air_temperature_c", "flag_now": 1, "flag_then": 3, "readings": 4}


def test_a_replays_plan_names_offsets_records_hours_tables_and_time():
    told = page(REPLAY, REPLAYED)
    assert question(REPLAY, REPLAYED) == "Replay 1,086 records?"
    assert "| 0 | 4 | 1,040 | 1,036 | 6 | 6 |" in told
    assert "| 1 | 0 | 50 | 50 | 0 | 0 |" in told
    assert "Of 1 other partition nothing is read." in told
    for text in ("1,086, of which 6 from Raw", "`curated.observations`", "`latest_by_region`", "about 30 s", "`a1b2`"):
        assert text in told


def test_what_a_person_wrote_stays_in_its_cell():
    told = page(REPLAY, REPLAYED)
    assert "| **reason** | a gap of last night |" in told
    assert "| **only stations** | `a\\|b` |" in told


def test_records_that_are_lost_are_told_of_by_name():
    assert "**6 records have expired** from the topic" in page(REPLAY, REPLAYED | {"from_raw": 0, "raw_until": {}})
    assert "have expired" not in page(REPLAY, REPLAYED)


def test_a_recomputes_plan_names_range_units_rules_tables_and_the_way_back():
    told = page(RECOMPUTE, RECOMPUTED)
    assert question(RECOMPUTE, RECOMPUTED) == "Make 1 hour of observation anew from Raw?"
    assert "| **range** | 2024-05-01 00:00 to 2024-05-02 12:30 UTC: 1 hour of observation |" in told
    for text in ("2024-05-01T01 to 2024-05-01T03, 2024-05-02T00", "`gold.hourly_summaries`", "10 minutes"):
        assert text in told
    assert "2 hours of append time: what they hold of the range stays as it is" in told
    assert "`weahouse lake undo c3d4`" in told


def test_a_preview_names_the_flags_that_would_change_in_words():
    preview = {"updated": 7, "inserted": 0, "unchanged": 1, "changed_flags": 6, "changes": [CHANGE]}
    told = page(RECOMPUTE, RECOMPUTED, preview)
    assert "**6 flags would change**; of the readings 7 would be written anew, 0 added" in told
    assert "| a | air_temperature_c | good | suspect | 4 |" in told
    assert "And 2 more" in told
    none = page(RECOMPUTE, RECOMPUTED, preview | {"changed_flags": 0, "changes": []})
    assert "**0 flags would change**" in none
    assert "flag now" not in none
