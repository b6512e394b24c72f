"""What a person asks of a recompute, checked before anything is done, and what becomes a plan of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weahouse.orchestration.backfill_kinds import RECOMPUTE, ZONES
from weahouse.orchestration.ingest_hours import HOUR, begin_of, hour_of
from weahouse.orchestration.requests import RequestError, moment_of, names_of, run_id_of
from weahouse.qc.entries import RulesError
from weahouse.qc.rules import DEFAULT_RULES, load_rules
from weahouse.schemas.fields import MOST_MINUTES_AHEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Of the longest record that ships with the project there are seven years; a year that was mistyped is caught by it.
LONGEST = timedelta(days=3653)
# Two applications start, and levels 2 and 3 look at half a day around the range, however short that is.
_LEAST_S = 90
# Parsed and judged for the preview and once more for the tables, and merged beside the live stream, on two cores.
_RECORDS_PER_S = 3_000
_WRITTEN = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class RecomputeRequest:
    """A range of times of observation, [start, end), of some stations or of all, under the rules of a file.

    `rules_file` None: those that the platform judges by.
    """

    start: datetime
    end: datetime
    zones: tuple[str, ...]
    stations: tuple[str, ...]
    rules_file: str | None
    rules_version: str
    reason: str

    @classmethod
    def of(cls, params: Mapping[str, Any], now: datetime) -> RecomputeRequest:
        """From the parameters of a run; what is left out is as in the form. Raises RequestError."""
        if unknown := sorted(params.keys() - RECOMPUTE.asks.keys()):
            raise RequestError(
                f"unknown parameters {', '.join(unknown)}: a recompute knows {', '.join(RECOMPUTE.asks)}"
            )
        start, end = (_time(name, params.get(name)) for name in ("start", "end"))
        _check_times(start, end, now)
        dry_run = params.get("dry_run", True)
        if not isinstance(dry_run, bool):
            raise RequestError(f"dry_run is {dry_run!r}: write true or false")
        reason = str(params.get("reason") or "").strip()
        if not reason and not dry_run:
            raise RequestError("reason is empty: say in a few words why this is made anew")
        rules_file = params.get("rules_file") or None
        return cls(
            start,
            end,
            _zones(params.get("zones")),
            names_of("stations", params.get("stations")),
            rules_file,
            _rules_version(rules_file),
            reason,
        )

    def plan(self, units: Iterable[Mapping[str, Any]], raw_hours: Iterable[str]) -> dict[str, Any]:
        """The plan of making the range anew from what `units`, rows of curated.ingest_units, hold; as JSON can hold it.

        `raw_hours`: the hours of append time of which Raw has a folder. Raises RequestError where no unit
        holds a reading of the range.
        """
        units = list(units)
        chosen = sorted((unit for unit in units if self._is_held_by(unit)), key=lambda unit: unit["ingest_hour"])
        if not chosen:
            raise RequestError(
                f"no curated unit holds a reading from {self.start:{_WRITTEN}} to {self.end:{_WRITTEN}}: let "
                "observation_curation curate the hours in which they were appended, or widen the range"
            )
        told = {
            "start": f"{self.start:{_WRITTEN}}",
            "end": f"{self.end:{_WRITTEN}}",
            "zones": list(self.zones),
            "stations": list(self.stations),
            "rules_file": self.rules_file,
            "rules_version": self.rules_version,
            "units": _in_a_row([unit["ingest_hour"] for unit in chosen]),
        }
        records = sum(unit["records"] for unit in chosen)
        return {
            "run_id": run_id_of(told),
            **told,
            "reason": self.reason,
            "records": records,
            "hours": len({hour for unit in chosen for hour in unit["touched_hours"] if self._holds_some_of(hour)}),
            "not_curated": self._not_curated(units, raw_hours),
            "estimated_s": _LEAST_S + records // _RECORDS_PER_S,
        }

    def _is_held_by(self, unit: Mapping[str, Any]) -> bool:
        earliest, latest = unit["earliest_observed_at"], unit["latest_observed_at"]
        return earliest is not None and earliest < self.end and latest >= self.start

    def _holds_some_of(self, hour: datetime) -> bool:
        return self.start - HOUR < hour < self.end

    def _not_curated(self, units: Iterable[Mapping[str, Any]], raw_hours: Iterable[str]) -> int:
        """Of how many hours of Raw, which may hold readings of the range, nobody has looked yet whether they do."""
        earliest = self.start - timedelta(minutes=MOST_MINUTES_AHEAD) - HOUR
        curated = {unit["ingest_hour"] for unit in units}
        return len({hour for hour in raw_hours if hour > hour_of(earliest)} - curated)


def _in_a_row(ingest_hours: Iterable[str]) -> list[str]:
    """Hours, given in their order, as FIRST..LAST where they follow each other.

    A plan is one word of a command line, which holds 128 KiB: the hours of a year, each by itself, are more.
    """
    runs: list[list[str]] = []
    for hour in ingest_hours:
        if runs and begin_of(hour) - begin_of(runs[-1][-1]) == HOUR:
            runs[-1] = [runs[-1][0], hour]
        else:
            runs.append([hour])
    return ["..".join(run) for run in runs]


def _time(name: str, text: Any) -> datetime:
    told = str(text or "").strip()
    moment = moment_of(told)
    if moment is None:
        raise RequestError(f"{name} {told!r} is no time with a zone: write it like 2024-05-01T12:00:00Z")
    # Observations are told to the second.
    return moment.replace(microsecond=0)


def _check_times(start: datetime, end: datetime, now: datetime) -> None:
    if end <= start:
        raise RequestError(f"end {end:{_WRITTEN}} must lie after start {start:{_WRITTEN}}")
    if end - start > LONGEST:
        raise RequestError(
            f"from start to end are {(end - start).days} days: at most {LONGEST.days}, ten years, are allowed"
        )
    if start > now:
        raise RequestError(f"start {start:{_WRITTEN}} lies in the future: nothing was observed then")


def _zones(given: Any) -> tuple[str, ...]:
    if given is None:
        return tuple(ZONES)
    zones = given if isinstance(given, (list, tuple)) else [given]
    unknown = [zone for zone in zones if zone not in ZONES]
    if unknown or not zones:
        told = f"has {unknown[0]!r}" if unknown else "is empty"
        raise RequestError(f"zones {told}: name one or both of {', '.join(ZONES)}")
    return tuple(zone for zone in ZONES if zone in zones)


def _rules_version(rules_file: Any) -> str:
    if rules_file is None:
        return load_rules(DEFAULT_RULES).version
    if not isinstance(rules_file, str) or "\0" in rules_file or not Path(rules_file).is_absolute():
        raise RequestError(f"rules_file {rules_file!r} is no absolute path: leave it empty for the present rules")
    if not Path(rules_file).is_file():
        raise RequestError(f"rules_file {rules_file} is no file that this worker can read")
    try:
        return load_rules(Path(rules_file)).version
    except RulesError as error:
        raise RequestError(f"rules_file: {error}") from None
