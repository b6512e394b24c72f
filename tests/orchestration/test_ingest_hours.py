from __future__ import annotations

from datetime import UTC, datetime

import pytest

from weahouse.orchestration.ingest_hours import IngestHourError, begin_of, choose, hour_of

NOW = datetime(2024, 5, 1, 14, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "partition_key", "chosen"),
    [
        (None, None, "2024-05-01T13"),
        (None, "2024-05-01T11", "2024-05-01T11"),
        ("2024-05-01T09", "2024-05-01T11", "2024-05-01T09"),
        # The open one too.
        ("2024-05-01T14", None, "2024-05-01T14"),
        ("", None, "2024-05-01T13"),
    ],
)
def test_a_person_comes_before_the_partition_and_that_before_the_last_hour(asked, partition_key, chosen):
    assert choose(asked, partition_key, NOW) == chosen


def test_an_hour_that_has_not_begun_is_refused_with_the_newest_one():
    with pytest.raises(IngestHourError, match="2024-05-01T15 has not begun: the newest one is 2024-05-01T14"):
        choose("2024-05-01T15", None, NOW)


@pytest.mark.parametrize("text", ["2024-05-01", "2024-5-1T3", "2024-05-01T24", "2024-05-01T13:00", "'; DROP"])
def test_what_is_no_hour_is_refused_by_name(text):
    with pytest.raises(IngestHourError, match="write it like 2024-05-01T13"):
        begin_of(text)


def test_an_hour_is_named_as_raws_folders_are():
    assert hour_of(begin_of("2024-05-01T13")) == "2024-05-01T13"
