"""Faults of sensors, clocks and networks, put into simulated readings and written down for those who score them.

Which reading is hit, how, and how hard is a pure function of (seed, station, time), like the readings. Sizes are drawn
log-uniformly from far below the limit that a fault is judged by to far beyond it, so that no test learns one number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from weahouse.schemas.fields import VARIABLES
from weahouse.sources.randomness import uniform
from weahouse.sources.records import Record, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from weahouse.sources.network import Network

Event = dict[str, Any]

# Sensor and clock faults last: a station has at most one in each half day.
EPISODE_S = 43_200
_CHOICE, _SIZE, _DETAIL, _EPISODE = range(300, 304)
# The limit of one minute's change in quality control (suspect, or bad where only that is given).
_STEP = {
    "air_temperature_c": 3.0,
    "dew_point_c": 2.0,
    "relative_humidity_pct": 15.0,
    "air_pressure_hpa": 0.5,
    "air_pressure_at_sea_level_hpa": 0.5,
    "wind_speed_mps": 10.0,
}
# What a sensor can do wrong shows in these; rain and direction have no step to exceed.
_SENSED = tuple(_STEP)


class Fault(NamedTuple):
    """What was done to one reading; `size` is in the unit of its kind, `true_value` what a sound sensor says."""

    station_id: str
    observed_at: str
    kind: str
    variable: str | None
    size: float
    true_value: object

    def to_json(self) -> str:
        return json.dumps(self._asdict())


class Outgoing(NamedTuple):
    """A record and how many seconds after its time it leaves."""

    record: Record
    delay_s: float


class _Case(NamedTuple):
    """One reading to spoil: its station, time and event, a size in [0, 1) and one more number for details."""

    station_id: str
    at: int
    event: Event
    size: float
    detail: float


class _Spoilt(NamedTuple):
    out: list[Outgoing]
    size: float
    variable: str | None = None
    true_value: object = None


def _between(low: float, high: float, where: float) -> float:
    """Log-uniform: as likely between 1 and 10 as between 10 and 100."""
    return float(low * (high / low) ** where)


def _pick(options: tuple[Any, ...], where: float) -> Any:
    return options[int(where * len(options))]


def _encoded(event: Event) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def _plain(case: _Case, event: Event | None = None, value: bytes | None = None, delay_s: float = 0.0) -> Outgoing:
    value = _encoded(case.event if event is None else event) if value is None else value
    return Outgoing(Record(case.at, case.station_id.encode(), value), delay_s)


def _duplicate(case: _Case) -> _Spoilt:
    # The horizon within which repeats are removed before they reach the tables is ten minutes.
    delay = _between(0.1, 6000.0, case.size)
    return _Spoilt([_plain(case), _plain(case, delay_s=delay)], delay)


def _late(case: _Case) -> _Spoilt:
    # Six hours make a record late. It tells of a moment long ago, and is the first to tell of it.
    delay = _between(60.0, 60 * 3600.0, case.size)
    event = case.event | {"observed_at": rfc3339(case.at - int(delay))}
    return _Spoilt([_plain(case, event)], float(int(delay)), "observed_at", case.event["observed_at"])


def _out_of_order(case: _Case) -> _Spoilt:
    delay = _between(0.1, 600.0, case.size)
    return _Spoilt([_plain(case, delay_s=delay)], delay)


def _malformed_json(case: _Case) -> _Spoilt:
    whole = _encoded(case.event)
    lost = int(_between(1, len(whole) + 1, case.size))
    return _Spoilt([_plain(case, value=whole[: len(whole) - lost])], lost)


_WRONG: tuple[Callable[[float], object], ...] = (
    str,
    lambda value: [value],
    lambda value: {"value": value},
    lambda _: True,
    lambda _: "n/a",
)


def _wrong_type(case: _Case) -> _Spoilt:
    variable = _pick(VARIABLES, case.size)
    true = case.event[variable]
    event = case.event | {variable: _pick(_WRONG, case.detail)(true)}
    return _Spoilt([_plain(case, event)], 1.0, variable, true)


def _spike(case: _Case) -> _Spoilt:
    variable = _pick(_SENSED, case.detail)
    size = _between(0.05, 30.0, case.size) * _STEP[variable]
    # The last digit of the detail decides the sign: independent of which variable it picked.
    return _shifted(case, variable, size if int(case.detail * 1e6) % 2 else -size)


def _shifted(case: _Case, variable: str, size: float) -> _Spoilt:
    true = case.event[variable]
    event = case.event | {variable: round(true + size, 1)}
    return _Spoilt([_plain(case, event)], round(size, 3), variable, true)


def _missing(case: _Case) -> _Spoilt:
    count = int(_between(1, len(VARIABLES) + 1, case.size))
    start = int(case.detail * len(VARIABLES))
    gone = [VARIABLES[(start + step) % len(VARIABLES)] for step in range(count)]
    # Every other one is sent as null, which means the same.
    event = {name: value for name, value in case.event.items() if name not in gone[::2]} | dict.fromkeys(gone[1::2])
    true = {name: case.event[name] for name in gone}
    return _Spoilt([_plain(case, event)], count, ",".join(gone), true)


def _unicode(case: _Case) -> _Spoilt:
    note = _pick(("Zürich ☔ 東京", "a\u0000b", "\u202eabc", "e\u0301" * 50), case.detail)
    whole = _encoded(case.event)[:-1]
    text = json.dumps(note).encode() if case.size < 0.5 else json.dumps(note, ensure_ascii=False).encode()
    broken = (b'"\\ud800"', b'"\xff\xfe"', b'"\xed\xa0\x80"')
    tail = _pick((text, text, text, *broken), case.size)
    return _Spoilt([_plain(case, value=whole + b',"note":' + tail + b"}")], len(tail), "note")


def _huge(case: _Case) -> _Spoilt:
    size = int(_between(1_000, 12_000_000, case.size))
    return _Spoilt([_plain(case, case.event | {"note": "x" * size})], size, "note")


def _null_key(case: _Case) -> _Spoilt:
    return _Spoilt([Outgoing(_plain(case).record._replace(key=None), 0.0)], 1.0)


_PASSING: dict[str, Callable[[_Case], _Spoilt]] = {
    "duplicates": _duplicate,
    "late": _late,
    "out-of-order": _out_of_order,
    "malformed-json": _malformed_json,
    "wrong-types": _wrong_type,
    "spike": _spike,
    "missing": _missing,
    "unicode": _unicode,
    "huge": _huge,
    "null-key": _null_key,
}
_LASTING = ("stuck-sensor", "drift", "clock-skew")
KINDS = (*_PASSING, *_LASTING)
PROFILES = {kind: (kind,) for kind in KINDS} | {"all": KINDS}


@dataclass(frozen=True)
class Faults:
    """A profile at work on a network; `share` is the part of readings that a passing fault hits."""

    network: Network
    kinds: tuple[str, ...]
    share: float
    # What a station (by number) would report at a time, as the simulator says: a stuck sensor repeats it.
    reading: Callable[[int, int], Event]

    def apply(
        self, station: NDArray[np.int64], at: NDArray[np.int64], records: Iterable[Record]
    ) -> Iterator[tuple[list[Outgoing], Fault | None]]:
        """What leaves instead of each record, and the fault that was put in, if any."""
        seed = self.network.seed
        passing = tuple(kind for kind in self.kinds if kind in _PASSING)
        lasting = tuple(kind for kind in self.kinds if kind in _LASTING)
        choice = uniform(seed, station, at, _CHOICE) / self.share if passing else np.ones(len(at))
        begins, ends = _episodes(seed, station, at) if lasting else (at, at)
        held = (begins <= at) & (at < ends)
        rows = zip(records, station.tolist(), choice.tolist(), begins.tolist(), ends.tolist(), held, strict=True)
        for record, number, where, begin, end, is_held in rows:
            if is_held:
                yield self._lasting(lasting, number, record, begin, end)
            elif where < 1.0:
                yield self._passing(_pick(passing, where), number, record)
            else:
                yield [Outgoing(record, 0.0)], None

    def _draw(self, *words: int) -> float:
        return float(uniform(self.network.seed, *words)[()])

    def _passing(self, kind: str, number: int, record: Record) -> tuple[list[Outgoing], Fault]:
        size, detail = (self._draw(number, record.at, word) for word in (_SIZE, _DETAIL))
        case = _Case(self.network.ids[number], record.at, json.loads(record.value), size, detail)
        return _told(case, kind, _PASSING[kind](case))

    def _lasting(
        self, kinds: tuple[str, ...], number: int, record: Record, begin: int, end: int
    ) -> tuple[list[Outgoing], Fault]:
        which, size, detail = (self._draw(number, begin // EPISODE_S, _EPISODE, part) for part in (2, 3, 4))
        kind = _pick(kinds, which)
        case = _Case(self.network.ids[number], record.at, json.loads(record.value), size, detail)
        if kind == "clock-skew":
            return _told(case, kind, _skewed(case))
        variable = _pick(_SENSED, detail)
        if kind == "drift":
            full = _between(0.05, 30.0, size) * _STEP[variable]
            return _told(case, kind, _shifted(case, variable, full * (record.at - begin) / (end - begin)))
        event = case.event | {variable: self.reading(number, begin)[variable]}
        return _told(case, kind, _Spoilt([_plain(case, event)], record.at - begin, variable, case.event[variable]))


def _episodes(
    seed: int, station: NDArray[np.int64], at: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When the lasting fault of the half day around each time begins and ends."""
    block = at // EPISODE_S
    length, when = (uniform(seed, station, block, _EPISODE, part) for part in (0, 1))
    # Two minutes to half a day: a sensor is called stuck after an hour.
    duration = (120.0 * (EPISODE_S / 120.0) ** length).astype(np.int64)
    begins = block * EPISODE_S + (when * (EPISODE_S - duration)).astype(np.int64)
    return begins, begins + duration


def _skewed(case: _Case) -> _Spoilt:
    # Ten minutes ahead of the broker is the most that is accepted; a clock may be wrong either way.
    skew = int(_between(1.0, 7200.0, case.size)) * (1 if case.detail < 0.5 else -1)
    event = case.event | {"observed_at": rfc3339(case.at + skew)}
    return _Spoilt([_plain(case, event)], skew, "observed_at", case.event["observed_at"])


def _told(case: _Case, kind: str, spoilt: _Spoilt) -> tuple[list[Outgoing], Fault]:
    fault = Fault(case.station_id, case.event["observed_at"], kind, spoilt.variable, spoilt.size, spoilt.true_value)
    return spoilt.out, fault
