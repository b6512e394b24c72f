"""How late readings come: percentiles of append time minus observation time, and the lateness that would suit them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from weahouse.io import lake
from weahouse.schemas.datasets import CURATED_OBSERVATIONS

if TYPE_CHECKING:
    from weahouse.settings import Settings

Document = dict[str, Any]

# One in a thousand readings may be late: few enough to be worth a mark, many enough that one odd day does not decide.
_SHARE = 0.999
# A station that is so much later than the middle one has a fault of its own, which should not set everybody's limit.
_OUTLIER_TIMES = 10
# Below it "ten times later than the others" is the ordinary spread of seconds.
_OUTLIER_AT_LEAST_S = 600.0
_STEPS = (
    *(timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=n) for n in (1, 2, 3, 6, 12)),
    *(timedelta(days=n) for n in (1, 2, 3, 7, 14)),
)
RULE = (
    "p99.9 of all stations but the outliers, rounded up to a common duration; an outlier's p99.9 is more than "
    f"{_OUTLIER_TIMES} times the middle station's, and more than {_OUTLIER_AT_LEAST_S / 60:g} minutes"
)

_DELAY = "(date_part('epoch', ingested_at) - date_part('epoch', observed_at))"


def lateness(settings: Settings, last: timedelta | None) -> Document:
    """{"lateness_s", "overall", "stations", "outliers", "suits_s", "rule"} of readings appended within `last`.

    Delays in s: p50_s, p90_s, p99_s, p999_s, max_s of each station and overall, with the readings and the share of them
    beyond today's lateness. A reading that was corrected counts with its newest record. Percentiles are t-digest
    estimates. Raises LakeError.
    """
    limit_s = settings.lateness.total_seconds()
    since = "" if last is None else f"WHERE ingested_at >= '{(datetime.now(UTC) - last).isoformat()}'"
    stations = _percentiles(settings, limit_s, since, by_station=True)
    found: Document = {"lateness_s": limit_s, "overall": None, "stations": stations, "outliers": [], "suits_s": None}
    if stations:
        found["outliers"] = outliers(stations)
        [found["overall"]] = _percentiles(settings, limit_s, since)
        usual = found["overall"]
        if found["outliers"]:
            # A station's id has no quote: the contract's pattern allows none.
            names = ", ".join(f"'{name}'" for name in found["outliers"])
            [usual] = _percentiles(settings, limit_s, f"{since or 'WHERE true'} AND station_id NOT IN ({names})")
        found["suits_s"] = suiting(usual["p999_s"]).total_seconds()
    return found | {"rule": RULE}


def outliers(stations: list[Document]) -> list[str]:
    """The stations whose own delays are far beyond those of the middle station."""
    usual = median(station["p999_s"] for station in stations)
    limit = max(usual * _OUTLIER_TIMES, _OUTLIER_AT_LEAST_S)
    return [station["station_id"] for station in stations if station["p999_s"] > limit]


def suiting(p999_s: float) -> timedelta:
    """The delay rounded up to a duration that somebody would write down; above the longest, to whole days."""
    needed = timedelta(seconds=max(0.0, p999_s))
    return next((step for step in _STEPS if step >= needed), -(-needed // timedelta(days=1)) * timedelta(days=1))


def _percentiles(settings: Settings, limit_s: float, where: str, *, by_station: bool = False) -> list[Document]:
    shares = (("p50_s", 0.5), ("p90_s", 0.9), ("p99_s", 0.99), ("p999_s", _SHARE))
    columns = ", ".join(f"approx_percentile_cont(delay_s, {share}) AS {name}" for name, share in shares)
    group, order = ("station_id, ", "GROUP BY station_id ORDER BY station_id") if by_station else ("", "")
    rows: list[Document] = lake.query(
        settings,
        f"SELECT {group}count(*) AS readings, {columns}, max(delay_s) AS max_s, "
        f"count(*) FILTER (WHERE delay_s > {limit_s}) / CAST(count(*) AS DOUBLE) AS late_share "
        f"FROM (SELECT station_id, {_DELAY} AS delay_s FROM {CURATED_OBSERVATIONS.name} {where}) AS delays {order}",
    ).to_pylist()
    return rows
