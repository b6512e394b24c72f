"""A Spark session in this very process, with the configuration of the platform's own applications; tests use it too."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from weahouse.orchestration.spark_submit import scratch_folder, spark_conf, spark_environment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from weahouse.settings import Settings


def local_session(settings: Settings, app: str, master: str, **conf: str) -> SparkSession:
    """The session of `app`, whose jars must be there by now; `conf` is added to the applications' own."""
    from pyspark.sql import SparkSession

    os.environ.update(spark_environment(settings))
    time.tzset()
    scratch_folder(settings, app).mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder.master(master).appName(app)
    builder = builder.config("spark.driver.extraClassPath", f"{settings.cache}/jars/spark/*")
    for key, value in (spark_conf(settings, app) | conf).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
