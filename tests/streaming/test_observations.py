"""When a committed batch has to be merged again without the removal of repeats."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from weahouse.settings import Settings
from weahouse.streaming.observations import must_merge_again

HORIZON = Settings().repeat_horizon
WATERMARK = datetime.fromisoformat("2024-05-01T12:00:00+00:00")


def progress(*, repeats: int = 0, dropped: int = 0) -> dict[str, Any]:
    state = {"numRowsDroppedByWatermark": dropped, "customMetrics": {"numDroppedDuplicateRows": repeats}}
    return {"stateOperators": [state], "eventTime": {"watermark": WATERMARK.isoformat()}}


@pytest.mark.parametrize(
    ("told", "contested_at", "expected"),
    [
        (progress(), WATERMARK, False),
        (progress(dropped=1), None, True),
        (progress(repeats=5), None, False),
        (progress(repeats=5), WATERMARK - HORIZON, True),
        (progress(repeats=5), WATERMARK - HORIZON - timedelta(seconds=1), False),
        ({"stateOperators": []}, WATERMARK, False),
    ],
    ids=[
        "nothing removed",
        "dropped by the watermark",
        "repeats without contradiction",
        "repeats beside a contradiction that the state remembers",
        "a contradiction that the state has forgotten",
        "no state yet",
    ],
)
def test_a_batch_is_merged_again_where_the_removal_may_have_been_wrong(told, contested_at, expected):
    assert must_merge_again(told, contested_at, HORIZON) is expected
