"""What the requests of all Dags have in common: how a time is read, and what a run is known by."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weahouse.schemas.fields import STATION_ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Mapping


class RequestError(ValueError):
    """A request that cannot be meant; one sentence that names the parameter and says what to do."""


def moment_of(text: str) -> datetime | None:
    """A time with a zone, in UTC; None where the text is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def names_of(name: str, given: Any) -> tuple[str, ...]:
    """Ids of stations or of regions, each once and in order; none where nothing is given. Raises RequestError."""
    found = given or ()
    if not isinstance(found, (list, tuple)):
        raise RequestError(f"{name} is {given!r}: give a list of ids, or nothing for all {name}")
    for each in found:
        if not isinstance(each, str) or not re.fullmatch(STATION_ID_PATTERN, each):
            raise RequestError(f"{name} has {each!r}: 1 to 64 of A-Z a-z 0-9 . _ : - are allowed")
    return tuple(sorted(set(found)))


def run_id_of(asked: Mapping[str, Any]) -> str:
    """A hash of what is asked for, as JSON can hold it: the same again is the same run."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
