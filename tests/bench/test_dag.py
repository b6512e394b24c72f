from __future__ import annotations

from pathlib import Path

import pytest
from bench.dag import Moments, log_config, moments, parts_of

LOG = """\
1764181200500 1500 SparkContext Running Spark version 4.2.0
1764181200900 1900 SparkContext Submitted application: aggregate_gold
1764181203000 4000 SharedState Warehouse path is 'file:/home/spark/warehouse'.
1764181204250 5250 DAGScheduler Got map stage job 0 (first at aggregation.py:7) with 1 output partitions
1764181205000 6000 DAGScheduler Got job 1 (collect at parts.py:9) with 2 output partitions
a line of something else
"""


def test_an_application_tells_when_its_jvm_began_and_when_its_first_job_did():
    assert moments(LOG) == Moments(1764181199.0, 1764181200.5, 1764181203.0, 1764181204.25)


def test_an_application_that_came_to_no_job_is_no_measurement():
    with pytest.raises(RuntimeError, match="told only of"):
        moments("\n".join(LOG.splitlines()[:3]))


def test_the_parts_are_the_whole_time_from_the_trigger_to_the_first_job():
    parts = parts_of(1764181190.0, 1764181195.0, moments(LOG))
    assert list(parts.values()) == [5.0, 4.0, 1.5, 2.5, 1.25]
    assert sum(parts.values()) == 1764181204.25 - 1764181190.0


def test_what_is_asked_of_the_log_goes_to_its_file_alone():
    config = dict(line.split(" = ", 1) for line in log_config(Path("/home/dag_spark.log")).splitlines())
    assert config["appender.told.fileName"] == "/home/dag_spark.log"
    assert config["rootLogger.level"] == "warn"
    assert {value for key, value in config.items() if key.endswith("additivity")} == {"false"}
