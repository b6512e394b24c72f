"""How far a verdict looks around, and so which verdicts a change may alter.

A verdict reads the station's rows from LOOK_BACK_H before its time to LOOK_AHEAD_MIN after it, and those of neighbours
within NEIGHBOUR_MIN of it, of which each is compared with rows up to LOOK_BACK_H before. No rule reaches further.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.neighbours import pairs
from weahouse.schemas.datasets import KEY, PANE_MINUTES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from weahouse.qc.rules import Rules

LOOK_BACK_H = 12
LOOK_AHEAD_MIN = 120
# Neighbours are compared pane by pane: a station's value with theirs of the nearest of these panes that holds one, a
# step with theirs of all of these. A front needs an hour for the 50 km to the farthest.
BUDDY_PANES = 3
SHARED_PANES = 6
# To either side, the panes and the rest of the value's own.
NEIGHBOUR_MIN = (SHARED_PANES + 1) * PANE_MINUTES

# To judge a row, rows of all stations are needed from so long before it to so long after it.
CONTEXT_BEFORE = timedelta(hours=LOOK_BACK_H, minutes=NEIGHBOUR_MIN)
CONTEXT_AFTER = timedelta(minutes=max(LOOK_AHEAD_MIN, NEIGHBOUR_MIN))
# What a change may alter begins so long before it and ends so long after it: `touched` finds whole hours.
_ROUNDED = timedelta(hours=2)
TOUCHED_BEFORE = CONTEXT_AFTER + _ROUNDED
TOUCHED_AFTER = CONTEXT_BEFORE + _ROUNDED

_HOUR_S = 3600


def touched(changed: DataFrame, context: DataFrame, stations: DataFrame, rules: Rules) -> DataFrame:
    """The keys of the rows in `context` whose verdicts may differ once the rows `changed` were inserted or corrected.

    Both need station_id and observed_at; `stations` are rows of gold.stations. `changed` may also hold rows of a day
    on which a station's trust of the day before has changed. A superset of what does change, each key once.
    """
    hours = changed.select("station_id", _hour().alias("hour")).distinct()
    own = _spread(hours, LOOK_AHEAD_MIN, LOOK_BACK_H * 60)
    seen_by = pairs(stations, rules).select(F.col("neighbour_id").alias("changed_id"), "station_id")
    theirs = hours.withColumnRenamed("station_id", "changed_id").join(seen_by, "changed_id").drop("changed_id")
    others = _spread(theirs.distinct(), NEIGHBOUR_MIN, LOOK_BACK_H * 60 + NEIGHBOUR_MIN)
    hours_touched = own.unionByName(others).distinct()
    rows = context.select(*KEY, _hour().alias("hour"))
    return rows.join(hours_touched, ["station_id", "hour"], "left_semi").select(*KEY)


def _spread(hours: DataFrame, before_min: int, after_min: int) -> DataFrame:
    """The hours of a station that lie up to so many minutes before or after any time within the given ones."""
    first, last = -(-before_min // 60), -(-after_min // 60)
    around = F.explode(F.sequence(F.col("hour") - first, F.col("hour") + last)).alias("hour")
    return hours.select("station_id", around).distinct()


def _hour() -> Column:
    return F.floor(F.unix_seconds("observed_at") / _HOUR_S)
