"""What every Dag starts from."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any

from weahouse.embedded.airflow import first_hour
from weahouse.orchestration.failures import tell
from weahouse.settings import settings


class Tag(StrEnum):
    """The tags that Dags are found by."""

    STREAM = "stream"
    SUPERVISION = "supervision"
    CURATED = "curated"
    GOLD = "gold"
    MODELS = "models"
    LAKE = "lake"
    QUALITY = "quality"
    BACKFILL = "backfill"


DEFAULT_ARGS: dict[str, Any] = {
    "owner": "weahouse",
    "retries": 2,
    "retry_delay": timedelta(seconds=15),
    # No task of ours works longer by itself; who waits, waits deferred and says how long.
    "execution_timeout": timedelta(minutes=10),
    "on_failure_callback": tell,
}

# From when on a Dag of the clock has something to do. Were it to start before, Airflow would make up for the last time
# that it missed as soon as the Dag is switched on.
FIRST_HOUR = first_hour(settings())
