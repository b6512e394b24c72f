"""Which lateness would suit, and which stations are left out of the answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from weahouse.streaming.lateness import outliers, suiting


def station(name: str, p999_s: float) -> dict[str, Any]:
    return {"station_id": name, "p999_s": p999_s}


@pytest.mark.parametrize(
    ("p999_s", "suits"),
    [
        (-5.0, timedelta(minutes=1)),
        (60.0, timedelta(minutes=1)),
        (60.1, timedelta(minutes=2)),
        (4 * 3600.0, timedelta(hours=6)),
        (86400.0 * 14, timedelta(days=14)),
        (86400.0 * 20.2, timedelta(days=21)),
    ],
)
def test_the_delay_is_rounded_up_to_a_common_duration(p999_s: float, suits: timedelta):
    assert suiting(p999_s) == suits


def test_a_station_far_behind_the_middle_one_is_an_outlier():
    assert outliers([station("a", 70), station("b", 80), station("c", 90), station("late", 7200)]) == ["late"]


def test_some_minutes_make_no_outlier():
    assert outliers([station("a", 1), station("b", 1), station("c", 599)]) == []


def test_where_all_are_late_none_is():
    assert outliers([station("a", 9000), station("b", 9100)]) == []
