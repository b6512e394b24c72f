"""What is forecast, and what was then observed: the truth that models are trained with and verified by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.ml.hours import HOUR_S, RAIN_HOURS, by_hour, good, number_of, rained

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

TEMPERATURE, RAIN = "air_temperature_c", "rain_within_3h"


@dataclass(frozen=True)
class Target:
    """One predictand at one lead time; `persistence` is the feature that holds its last known value."""

    predictand: str
    lead_time_h: int
    persistence: str
    is_probability: bool = False

    @property
    def name(self) -> str:
        """A name that a folder may have, e.g. `air_temperature_c_6h`."""
        return f"{self.predictand}_{self.lead_time_h}h"

    @property
    def valid_at(self) -> Column:
        """The end of what is forecast at `issued_at`."""
        return F.timestamp_seconds(F.unix_seconds("issued_at") + self.lead_time_h * HOUR_S)


TARGETS = (
    *(Target(TEMPERATURE, lead_time_h, "air_temperature_c_latest") for lead_time_h in (1, 3, 6, 24)),
    Target(RAIN, RAIN_HOURS, "rain_past_3h", is_probability=True),
)


def target_of(predictand: str, lead_time_h: int) -> Target:
    """The target of that name; raises ValueError where nothing of the kind is forecast."""
    for target in TARGETS:
        if (target.predictand, target.lead_time_h) == (predictand, lead_time_h):
            return target
    raise ValueError(f"{predictand} at +{lead_time_h} h is not forecast; {', '.join(t.name for t in TARGETS)} are")


def observed(hourly: DataFrame, predictand: str) -> DataFrame:
    """What was observed of a predictand: station_id, valid_at, observed_value; hours without a good value are left out.

    Temperature: the mean of the hour that ends at valid_at, in degC. Rain: 1 or 0, of the three hours that end there.
    """
    hours = hourly.select(
        "station_id",
        number_of("window_start").alias("hour"),
        good("air_temperature_c").alias("temperature"),
        good("precipitation_mm", "sum").alias("rain_mm"),
    )
    value = F.col("temperature") if predictand == TEMPERATURE else rained("rain_mm", by_hour())
    valid_at = F.timestamp_seconds((F.col("hour") + 1) * HOUR_S).alias("valid_at")
    return hours.select("station_id", valid_at, value.alias("observed_value")).where("observed_value IS NOT NULL")


def examples(features: DataFrame, observations: DataFrame, target: Target) -> DataFrame:
    """Features with `valid_at` and `observed_value`, where the outcome is known; `observations` as of `observed`."""
    return features.withColumn("valid_at", target.valid_at).join(observations, ["station_id", "valid_at"])


def of_trusted(known: DataFrame, trust: DataFrame) -> DataFrame:
    """Examples that neither begin nor end on a day on which a variable of their station is distrusted.

    `known` as of `examples`; `trust`: rows of curated.station_trust, each of which tells of the day that follows it.
    """
    on_the_next = F.date_add("observed_date", 1)
    distrusted = F.broadcast(
        trust.where(~F.col("is_trusted")).select("station_id", on_the_next.alias("distrusted_date")).distinct()
    )
    for time in ("issued_at", "valid_at"):
        is_then = (known["station_id"] == distrusted["station_id"]) & (
            F.to_date(known[time]) == distrusted["distrusted_date"]
        )
        known = known.join(distrusted, is_then, "left_anti")
    return known
