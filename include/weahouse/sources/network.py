"""Where the simulated stations stand: a function of their number alone, the same for every seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weahouse.sources.randomness import uniform
from weahouse.sources.stations import Station

Floats = NDArray[np.float64]

_LAYOUT_SEED = 1959
_KM_PER_DEGREE = 111.2
# Half the side of a region in degrees: some 170 km across, so that a front reaches its stations within hours.
_HALF_SIDE = 0.75


@dataclass(frozen=True)
class _Region:
    name: str
    latitude: float
    longitude: float
    low_m: float
    high_m: float


_REGIONS = (
    _Region("us-co", 39.6, -105.0, 1500.0, 2900.0),
    _Region("us-ca", 37.6, -121.6, 5.0, 650.0),
    _Region("us-ny", 42.6, -74.2, 10.0, 600.0),
    _Region("us-fl", 27.4, -81.2, 1.0, 40.0),
    _Region("us-il", 41.2, -88.6, 150.0, 260.0),
    _Region("us-wa", 47.4, -121.9, 5.0, 900.0),
    _Region("us-tx", 31.6, -98.2, 200.0, 620.0),
    _Region("us-mt", 46.2, -110.6, 900.0, 1900.0),
)


@dataclass(frozen=True)
class Network:
    """`n` stations as parallel arrays: degrees north and east, metres, and km east and north of 100 W 40 N."""

    seed: int
    ids: tuple[str, ...]
    regions: tuple[str, ...]
    latitude: Floats
    longitude: Floats
    elevation: Floats
    east_km: Floats
    north_km: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def stations(self) -> list[Station]:
        """The registry's rows of the network."""
        return [self._station(number) for number in range(len(self))]

    def _station(self, number: int) -> Station:
        region = self.regions[number]
        country, state = region.upper().split("-")
        return Station(
            station_id=self.ids[number],
            region=region,
            station_name=f"Simulated station {number + 1} of seed {self.seed}",
            country=country,
            state=state,
            call_sign=None,
            latitude_deg=float(self.latitude[number]),
            longitude_deg=float(self.longitude[number]),
            elevation_m=float(self.elevation[number]),
            registry="simulator",
        )


def network(seed: int, size: int) -> Network:
    """The first `size` stations, dealt to the regions in turn: `sim-SEED-us-co-0001` is the first of Colorado.

    The seed stands in the name, because the same place has other weather under another seed.
    """
    number = np.arange(size)
    region = number % len(_REGIONS)
    centre = np.array([(r.latitude, r.longitude, r.low_m, r.high_m) for r in _REGIONS])[region]
    north, east, height = (uniform(_LAYOUT_SEED, number, 0, channel) for channel in range(3))
    latitude = np.round(centre[:, 0] + (2 * north - 1) * _HALF_SIDE, 4)
    longitude = np.round(centre[:, 1] + (2 * east - 1) * _HALF_SIDE, 4)
    # Squared: most stations stand in the valleys.
    elevation = np.round(centre[:, 2] + height**2 * (centre[:, 3] - centre[:, 2]), 0)
    names = tuple(_REGIONS[r].name for r in region)
    return Network(
        seed=seed,
        ids=tuple(f"sim-{seed}-{name}-{n // len(_REGIONS) + 1:04}" for n, name in enumerate(names)),
        regions=names,
        latitude=latitude,
        longitude=longitude,
        elevation=elevation,
        east_km=(longitude + 100.0) * _KM_PER_DEGREE * np.cos(np.radians(40.0)),
        north_km=(latitude - 40.0) * _KM_PER_DEGREE,
    )
