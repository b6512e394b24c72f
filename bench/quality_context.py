"""How well levels 2 and 3 find the faults of a dense simulated network, by the truth about each reading.

An alarm is a failed test that is not excused. It is right when one of the values that it read was spoilt
(docs/decisions/0011); of the buddy check the station's own value alone counts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pyspark.sql import functions as F

from bench.quality_truth import BEYOND, VALUE_KINDS
from weahouse.cli.judging import records_table, with_registry
from weahouse.qc.level1 import judge
from weahouse.qc.masks import SMOOTH, TESTS, bits_of, level_of
from weahouse.qc.rules import DEFAULT_RULES, Rules, load_rules
from weahouse.qc.verdicts import verdicts
from weahouse.schemas.datasets import CURATED_STATION_TRUST
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.render import to_spark
from weahouse.settings import Settings
from weahouse.sources.faults import Fault, Faults
from weahouse.sources.live import Schedule, reading_of
from weahouse.sources.network import Network, network
from weahouse.sources.simulator import measure, records
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from pyspark.sql import DataFrame, SparkSession

_REGIONS = 8
_CHUNK = 5_000
_KM_PER_DEGREE = 111.2
# What a test reads of its variable: reports before and after its own. Persistence reads an hour of them.
_READS = {"step": (2, 0), "spike": (1, 1), "persistence": (60, 0), "buddy": (0, 0)}
_FOUND_BY = {"spike": ("step", "spike"), "stuck-sensor": ("persistence",), "drift": ("buddy",)}
_STUCK_AFTER_S = 3600


@dataclass(frozen=True)
class ContextLoad:
    """Flat country with a report a minute while a front passes; neighbours in a circle that holds enough of them."""

    seed: int = 4
    region: str = "us-il"
    stations: int = 120
    interval_s: int = 60
    start: str = "2026-01-14T06:00"
    hours: int = 24
    share: float = 0.005
    radius_km: float = 25.0

    def rules(self, folder: Path) -> Rules:
        """The rules that ship, but for the radius of neighbours."""
        wider = ", ".join(f"{name}: {{radius_km: {self.radius_km:g}}}" for name in SMOOTH)
        file = folder / "rules.yaml"
        file.write_text(
            DEFAULT_RULES.read_text().replace("  regions: {}", f"  regions: {{{self.region}: {{buddy: {{{wider}}}}}}}")
        )
        return load_rules(file)

    def sites(self) -> Network:
        """The first stations of the region."""
        whole = network(self.seed, self.stations * _REGIONS)
        kept = [number for number, region in enumerate(whole.regions) if region == self.region]
        return Network(
            whole.seed,
            tuple(whole.ids[number] for number in kept),
            tuple(whole.regions[number] for number in kept),
            *[getattr(whole, name)[kept] for name in ("latitude", "longitude", "elevation", "east_km", "north_km")],
        )


class Reported(NamedTuple):
    """One reading that was sent: its station by number, its time, its record, and what was done to it."""

    station: int
    at: int
    value: bytes
    fault: Fault | None


@dataclass
class Alarms:
    """Alarms of one kind of test; `beside` are right ones of which the accused value itself was sound."""

    right: int = 0
    false: int = 0
    beside: int = 0
    excused: int = 0

    @property
    def precision(self) -> float | None:
        return self.right / (self.right + self.false) if self.right + self.false else None


@dataclass
class FaultsFound:
    """Spoilt readings of one kind, those beyond the limit, and how many of these were found."""

    readings: int = 0
    beyond: int = 0
    found: int = 0

    @property
    def recall(self) -> float | None:
        return self.found / self.beyond if self.beyond else None


@dataclass
class ContextScores:
    """Alarms by kind of test, faults by kind."""

    readings: int
    alarms: dict[str, Alarms] = field(default_factory=lambda: {kind: Alarms() for kind in _READS})
    faults: dict[str, FaultsFound] = field(default_factory=lambda: {kind: FaultsFound() for kind in VALUE_KINDS})

    def total(self) -> Alarms:
        sums = [(found.right, found.false, found.beside, found.excused) for found in self.alarms.values()]
        return Alarms(*map(sum, zip(*sums, strict=True)))


def score_context(spark: SparkSession, folder: Path, load: ContextLoad) -> ContextScores:
    """Send a network's records through parsing and all levels, and compare with the truth."""
    folder.mkdir()
    rules, sites = load.rules(folder), load.sites()
    sent = list(_sent(load, sites))
    table = records_table(spark, folder / "records", ((one.at + 1.0, one.value) for one in sent))
    masks = _masks(_judged(spark, table, sites, rules), len(sent))
    limits = _drift_limits(load, sites, sent, rules)
    return _scored(sent, masks, rules, limits)


def _sent(load: ContextLoad, sites: Network) -> Iterator[Reported]:
    schedule = Schedule(sites, Fraction(len(sites), load.interval_s))
    faults = Faults(sites, VALUE_KINDS, load.share, reading_of(sites, load.interval_s))
    start = int(datetime.fromisoformat(load.start).replace(tzinfo=UTC).timestamp())
    first, beyond = schedule.first_from(start), schedule.first_from(start + load.hours * 3600)
    for begin in range(first, beyond, _CHUNK):
        station, at, _ = schedule.readings(begin, min(begin + _CHUNK, beyond))
        made = records(sites, station, at, measure(sites, station, at, load.interval_s))
        spoilt = faults.apply(station, at, made)
        for number, moment, (outgoing, fault) in zip(station.tolist(), at.tolist(), spoilt, strict=True):
            yield Reported(number, moment, outgoing[0].record.value, fault)


def _judged(spark: SparkSession, table: DataFrame, sites: Network, rules: Rules) -> DataFrame:
    rows = judge(with_registry(observations(parse(table), Settings().lateness), sites.stations()), rules)
    schema = to_spark(GOLD_STATIONS)
    listed = spark.createDataFrame([tuple(one.get(name) for name in schema.names) for one in sites.stations()], schema)
    trust = spark.createDataFrame([], to_spark(CURATED_STATION_TRUST))
    return verdicts(rows.withColumn("revision", F.lit(0)), listed, trust, rules)


def _masks(judged: DataFrame, count: int) -> NDArray[np.int64]:
    """Tests applied, failed and excused of each reading, by its offset."""
    names = ("tests_applied", "tests_failed", "tests_excused")
    table = judged.select("kafka_offset", *names).toArrow()
    found = np.zeros((count, len(names)), dtype=np.int64)
    found[table["kafka_offset"].to_numpy()] = np.column_stack([table[name].to_numpy() for name in names])
    return found


def _scored(
    sent: list[Reported], masks: NDArray[np.int64], rules: Rules, drift_limits: dict[int, float]
) -> ContextScores:
    scores = ContextScores(len(sent))
    of_station: defaultdict[int, list[int]] = defaultdict(list)
    for offset, one in enumerate(sent):
        of_station[one.station].append(offset)
    for offsets in of_station.values():
        spoilt = [_spoilt(sent[offset]) for offset in offsets]
        for place, offset in enumerate(offsets):
            _count_alarms(scores, masks[offset], spoilt, place)
            fault = sent[offset].fault
            if fault is not None:
                limit = drift_limits.get(offset) if fault.kind == "drift" else _limit(rules, fault, sent[offset].value)
                _count_fault(scores, masks[offset], fault, limit)
    return scores


def _spoilt(one: Reported) -> str | None:
    return one.fault.variable if one.fault else None


def _count_alarms(scores: ContextScores, masks: NDArray[np.int64], spoilt: list[str | None], place: int) -> None:
    _, failed, excused = masks.tolist()
    for bit, test in enumerate(TESTS):
        if level_of(test) == 1 or not failed >> bit & 1:
            continue
        kind, _, variable = test.partition(":")
        counts, (before, after) = scores.alarms[kind], _READS[kind]
        if excused >> bit & 1:
            counts.excused += 1
        elif variable in spoilt[max(0, place - before) : place + after + 1]:
            counts.right += 1
            counts.beside += spoilt[place] != variable
        else:
            counts.false += 1


def _count_fault(scores: ContextScores, masks: NDArray[np.int64], fault: Fault, limit: float | None) -> None:
    counts = scores.faults[fault.kind]
    counts.readings += 1
    if limit is None or abs(fault.size) < BEYOND * limit:
        return
    _, failed, excused = masks.tolist()
    # What level 1 has found bad already is no matter for the others.
    tests = [f"{kind}:{fault.variable}" for kind in (*_FOUND_BY[fault.kind], "range")]
    counts.beyond += 1
    counts.found += bool(failed & ~excused & bits_of(test for test in tests if test in TESTS))


def _limit(rules: Rules, fault: Fault, value: bytes) -> float | None:
    """The size at which a spike or a stuck sensor begins to be a fault; None where no test is made for it."""
    assert fault.variable is not None
    if fault.kind == "spike":
        step = rules.defaults[f"step.{fault.variable}"]
        return step.at("suspect", 1.0) or step.at("bad", 1.0)
    held = json.loads(value)[fault.variable]
    # In saturated air and in a calm nothing is expected to move.
    may_stand = {
        "relative_humidity_pct": held >= rules.defaults["persistence_humidity_below_pct"],
        "wind_speed_mps": held <= rules.defaults["persistence_wind_above_mps"],
    }
    return None if may_stand.get(fault.variable) else float(_STUCK_AFTER_S)


def _drift_limits(load: ContextLoad, sites: Network, sent: list[Reported], rules: Rules) -> dict[int, float]:
    """By offset of each drifting value how far the buddy check lets it be, from the neighbours' true values."""
    drifting = [offset for offset, one in enumerate(sent) if one.fault and one.fault.kind == "drift"]
    found = {}
    for variable in SMOOTH:
        buddy, _ = rules.of(f"buddy.{variable}", None, load.region)
        near = _near(sites, buddy.radius_km, buddy.elevation_difference_m)
        for offset in drifting:
            one = sent[offset]
            theirs = np.flatnonzero(near[one.station])
            if _spoilt(one) == variable and len(theirs) >= buddy.least_neighbours:
                # Sea level, so that heights need no correction here.
                name = "air_pressure_at_sea_level_hpa" if variable == "air_pressure_hpa" else variable
                true = measure(sites, theirs, np.full(len(theirs), one.at), load.interval_s)[name]
                found[offset] = float(buddy.deviations * max(true.std(), buddy.least_sigma))
    return found


def _near(sites: Network, radius_km: float, rise_m: float) -> NDArray[np.bool_]:
    north = (sites.latitude[:, None] - sites.latitude) * _KM_PER_DEGREE
    east = (sites.longitude[:, None] - sites.longitude) * _KM_PER_DEGREE * np.cos(np.radians(sites.latitude[:, None]))
    close = (np.hypot(north, east) <= radius_km) & (np.abs(sites.elevation[:, None] - sites.elevation) <= rise_m)
    return close & ~np.eye(len(sites), dtype=bool)
