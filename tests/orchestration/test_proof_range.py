from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from weahouse.orchestration.proof_range import first_unproved

MIDNIGHT = datetime(2024, 5, 3, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def unit(begin: datetime, **members: Any) -> dict[str, Any]:
    return {"ingest_hour": f"{begin:%Y-%m-%dT%H}", "records": 1, "curated_at": begin + 1.2 * HOUR, **members}


def proof(begin: datetime, end: datetime, **members: Any) -> dict[str, Any]:
    return {"appended_from": begin, "appended_to": end, "reconciled_at": end + 4 * HOUR, **members}


def test_a_unit_that_a_night_has_passed_over_is_the_first() -> None:
    units = [unit(MIDNIGHT - n * HOUR) for n in (1, 30, 31)]
    assert first_unproved(units, [], MIDNIGHT) == MIDNIGHT - 31 * HOUR
    assert first_unproved(units, [proof(MIDNIGHT - 31 * HOUR, MIDNIGHT - 30 * HOUR)], MIDNIGHT) == MIDNIGHT - 30 * HOUR


def test_a_unit_is_proved_once() -> None:
    units = [unit(MIDNIGHT - n * HOUR) for n in range(1, 40)]
    assert first_unproved(units, [proof(MIDNIGHT - 2 * DAY, MIDNIGHT)], MIDNIGHT) is None


def test_a_unit_that_a_proof_has_seen_a_part_of_is_not_proved() -> None:
    begin = MIDNIGHT - HOUR
    halves = [proof(begin, begin + HOUR / 2), proof(begin + HOUR / 2, begin + HOUR)]
    assert first_unproved([unit(begin)], halves, MIDNIGHT) == begin


def test_a_unit_that_was_curated_again_is_proved_again() -> None:
    again = unit(MIDNIGHT - HOUR, curated_at=MIDNIGHT + 9 * HOUR)
    assert first_unproved([again], [proof(MIDNIGHT - DAY, MIDNIGHT)], MIDNIGHT) == MIDNIGHT - HOUR


def test_units_of_later_and_units_without_records_have_nothing_to_prove() -> None:
    assert first_unproved([unit(MIDNIGHT), unit(MIDNIGHT - HOUR, records=0)], [], MIDNIGHT) is None
