from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from weahouse.ml.errors import NoDataError
from weahouse.ml.splits import LEAST_DAYS, Split, plan

DAY = timedelta(days=1)


def test_the_last_year_of_the_shipped_file_is_final():
    told = plan(datetime(2008, 1, 1, 1, tzinfo=UTC), datetime(2014, 6, 12, 23, tzinfo=UTC))
    assert told.final == Split(datetime(2013, 6, 13, tzinfo=UTC), datetime(2014, 6, 13, tzinfo=UTC))


@pytest.mark.parametrize("days", [LEAST_DAYS, 60, 400, 4000])
def test_folds_follow_each_other_up_to_the_final_range(days: int):
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    told = plan(begin, begin + days * DAY - timedelta(hours=1))
    splits = (*told.folds, told.final)
    assert [split.until for split in splits[:-1]] == [split.origin for split in splits[1:]]
    assert told.final.until == begin + days * DAY
    # The first one has enough to train with.
    tested = told.final.origin - told.folds[0].origin
    assert told.folds[0].origin - begin >= tested
    assert all(split.until - split.origin >= 4 * DAY for split in splits)


def test_a_few_days_are_refused():
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(NoDataError, match=f"span 3 days, and {LEAST_DAYS} are needed"):
        plan(begin, begin + 2 * DAY)


def test_nothing_is_trained_with_whose_outcome_was_not_known_at_the_origin(spark: SparkSession):
    origin = datetime(2020, 1, 2, tzinfo=UTC)
    split = Split(origin, origin + DAY)
    rows = [(n, origin + timedelta(hours=n), origin + timedelta(hours=n + 6)) for n in range(-8, 26)]
    examples = spark.createDataFrame(rows, "n int, issued_at timestamp, valid_at timestamp")
    trained = {row["n"] for row in split.training(examples).collect()}
    tested = {row["n"] for row in split.test(examples).collect()}
    assert trained == {-8, -7, -6}
    assert tested == set(range(24))
