"""The streaming application: Kafka to Raw, Curated, quarantine and Cassandra. Started and watched by Airflow."""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession

from weahouse.io.app_log import begin_log
from weahouse.settings import settings
from weahouse.streaming.driver import Driver


def main() -> int:
    begin_log()
    spark = SparkSession.builder.appName("stream_observations").getOrCreate()
    code = Driver(spark, settings()).run()
    spark.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
