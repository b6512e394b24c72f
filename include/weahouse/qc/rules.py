"""The thresholds of quality control, read from one versioned file and checked before anything is judged with them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from weahouse.qc.entries import RulesError
from weahouse.qc.limits import Range
from weahouse.qc.reading import Thresholds, read

DEFAULT_RULES = Path(__file__).with_name("rules.yaml")
# Raised when the tests' code changes what they find, so that rows judged before and after can be told apart.
CODE_VERSION = 2
RAIN = "precipitation_mm"


@dataclass(frozen=True, eq=False)
class Rules:
    """All thresholds by name, and `version`, a hash of their file and of the tests' code.

    A threshold is a station's if it has its own, else its region's, else the default, each as a whole. Compared by
    identity, so that what is built for a set of rules can be kept.
    """

    version: str
    northern_winter_months: tuple[int, ...]
    defaults: Thresholds
    regions: dict[str, Thresholds]
    stations: dict[str, Thresholds]

    def of(self, name: str, station_id: str | None = None, region: str | None = None) -> tuple[Any, str]:
        """A threshold and whose it is: `station`, `region` or `default`."""
        for owner, found in (
            ("station", self.stations.get(station_id or "")),
            ("region", self.regions.get(region or "")),
        ):
            if found and name in found:
                return found[name], owner
        return self.defaults[name], "default"

    def overrides(self, name: str) -> list[tuple[str, tuple[str, ...], Any]]:
        """(column, its values, the threshold there) for all that is not default, those that win first."""
        found: dict[tuple[str, Any], list[str]] = defaultdict(list)
        for column, entries in (("station_id", self.stations), ("region", self.regions)):
            for owner, thresholds in entries.items():
                if name in thresholds:
                    found[column, thresholds[name]].append(owner)
        return [(column, tuple(owners), threshold) for (column, threshold), owners in found.items()]

    def is_winter(self, latitude_deg: float, month: int) -> bool:
        """Whether a month is of the winter half year at a latitude; the equator counts as north."""
        return (month in self.northern_winter_months) == (latitude_deg >= 0)

    def range_of(
        self,
        variable: str,
        month: int,
        latitude_deg: float | None = None,
        station_id: str | None = None,
        region: str | None = None,
    ) -> Range:
        """The range that a value is judged by at a place in a month (1 to 12)."""
        limits, _ = self.of(f"range.{variable}", station_id, region)
        found: Range = limits.at(
            latitude_deg, is_winter=latitude_deg is not None and self.is_winter(latitude_deg, month)
        )
        if variable != RAIN:
            return found
        rate, _ = self.of("heaviest_rain_mm_per_min", station_id, region)
        interval, _ = self.of("reporting_interval_min", station_id, region)
        return Range((found.suspect[0], min(found.suspect[1], rate * interval)), found.bad)


@cache
def load_rules(path: Path = DEFAULT_RULES) -> Rules:
    """The rules of a file; raises RulesError when it cannot be read or an entry cannot be meant."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RulesError(f"{path} cannot be read: {error.strerror}") from None
    version = hashlib.sha256(content + str(CODE_VERSION).encode()).hexdigest()[:12]
    return Rules(version, *read(path.name, content))
