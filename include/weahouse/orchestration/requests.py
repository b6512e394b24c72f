"""What the requests of all Dags have in common: how a time is read, and what a run is known by."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def moment_of(text: str) -> datetime | None:
    """A time with a zone, in UTC; None where the text is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def run_id_of(asked: Mapping[str, Any]) -> str:
    """A hash of what is asked for, as JSON can hold it: the same again is the same run."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
