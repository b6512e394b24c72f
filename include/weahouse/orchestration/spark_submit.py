"""Command lines of our Spark applications, rendered from settings; imports neither PySpark nor Airflow."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from weahouse.settings import HOST, Settings

# Room for a 250,000-row MERGE on two cores; RocksDB's state lives outside the heap.
DRIVER_MEMORY = "3g"
# A JVM warns of an archive that does not fit, and of each class that one leaves out, where applications answer.
QUIET = "-Xlog:cds=error -Xlog:cds+dynamic=error"


def spark_conf(settings: Settings, app: str = "session") -> dict[str, str]:
    """Spark's configuration for this instance, in the order in which it is written on a command line.

    `app` names the scratch folder under the home, which its only user may clear.
    """
    scratch = scratch_folder(settings, app)
    java_options = ["-Duser.timezone=UTC", f"-Djava.io.tmpdir={scratch}"]
    if (archive := shared_classes(settings)).exists():
        # A JVM that finds it to be of another Java or of other jars goes on without it.
        java_options += [f"-XX:SharedArchiveFile={archive}", QUIET]
    return {
        "spark.driver.extraJavaOptions": " ".join(java_options),
        "spark.local.dir": str(scratch),
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.eventLog.enabled": "false",
        "spark.log.level": "WARN",
        # Two queries share the cores; first-in-first-out would let one's batch hold up the other's.
        "spark.scheduler.mode": "FAIR",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(settings.home / "spark" / "warehouse"),
        # Frozen by the first checkpoint: one state store a core.
        "spark.sql.shuffle.partitions": "2",
        # Rows that are placed by station and day stay so through caches, joins on more columns and aggregates.
        "spark.sql.requireAllClusterKeysForCoPartition": "false",
        "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "false",
        # What is cached lives for one batch: compressing it costs more than it saves.
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        # HotSpot never compiles a method of more than 8,000 bytes: the judging of a batch, fused into one, was
        # interpreted for ever and took six times the CPU.
        "spark.sql.codegen.hugeMethodLimit": "8000",
        # Spark keeps the classes of a hundred plans by default; batches of both queries need more, and each class that
        # is dropped is compiled anew, and runs interpreted again at first.
        "spark.sql.codegen.cache.maxEntries": "2000",
        # Each execution describes its plan for a UI that is off: in its long form an eighth of a small batch's CPU.
        "spark.sql.ui.explainMode": "simple",
        # With it on, PySpark asks the JVM five times about each column that is named, and looks for IPython: two of
        # three calls into the JVM while a plan is described.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        "spark.python.daemon.module": "weahouse.io.python_daemon",
        # What follows from each filter is worked out at each step of the optimizer, for dozens of columns that are made
        # of each other: two thirds of a small batch's CPU. Filters of ours stand where they prune.
        "spark.sql.constraintPropagation.enabled": "false",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # The default of 50 tasks for each look at a table's log cost more than the batch itself.
        "spark.databricks.delta.snapshotPartitions": "2",
        # VACUUM lists a table in so many tasks, however few its folders are. The default of 10,000 took two minutes of
        # two cores for a table of one folder, 32 take some seconds.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "32",
        # With them on, a MERGE after a read of the same table fails in Delta 4.4.
        "spark.databricks.delta.properties.defaults.enableDeletionVectors": "false",
        "spark.sql.streaming.stateStore.providerClass": (
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
        ),
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
        # Counting the state's rows reads each key before it is written.
        "spark.sql.streaming.stateStore.rocksdb.trackTotalNumberOfRows": "false",
        # What the watermark has passed is forgotten with the next records. A batch without any, only for that, follows
        # every batch of a trickle otherwise.
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
        # A driver killed in its very first batch leaves drafts in the checkpoint, and Spark would refuse it for ever.
        "spark.sql.streaming.verifyCheckpointDirectoryEmptyOnStart": "false",
        "spark.hadoop.fs.defaultFS": settings.hdfs,
        # The instance has one DataNode: more copies would be reported missing for ever.
        "spark.hadoop.dfs.replication": "1",
        "spark.hadoop.dfs.client.use.datanode.hostname": "true",
        # A file is closed once the DataNode has reported its block; the client asks again after 400 ms by default,
        # which was most of the time of a batch that writes many small files. 10 ms, doubled ten times, make 10 s.
        "spark.hadoop.dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "10",
        "spark.hadoop.dfs.client.block.write.locateFollowingBlock.retries": "10",
    }


def spark_submit_command(settings: Settings, app: str, *args: str, master: str | None = None) -> list[str]:
    """`spark-submit` of this environment's PySpark for `spark_apps/<app>`; `master` overrides the setting."""
    master = master or settings.spark_master
    command = [str(spark_home() / "bin" / "spark-submit"), "--master", master, "--name", Path(app).stem]
    command += ["--driver-memory", DRIVER_MEMORY]
    command += ["--driver-class-path", driver_class_path(settings)]
    if jars := executor_jars(settings, master):
        command += ["--jars", jars]
    for key, value in spark_conf(settings, Path(app).stem).items():
        command += ["--conf", f"{key}={value}"]
    return [*command, str(settings.checkout / "spark_apps" / app), *args]


def driver_class_path(settings: Settings) -> str:
    """Where the driver finds the connectors.

    Delta's session extension and catalog are loaded by the driver's own class loader, which never sees --jars.
    """
    return f"{settings.cache / 'jars' / 'spark'}/*"


def executor_jars(settings: Settings, master: str) -> str | None:
    """The connectors that a cluster's executors fetch from the driver; None where it runs the tasks itself."""
    if master.startswith("local"):
        return None
    return ",".join(str(jar) for jar in sorted((settings.cache / "jars" / "spark").glob("*.jar")))


def shared_classes(settings: Settings) -> Path:
    """Where the archive of Spark's classes stands, once `class_archive.ensure` has made it."""
    return settings.cache / "spark-classes.jsa"


def spark_environment(settings: Settings) -> dict[str, str]:
    """The variables that a Spark application needs beside its command line."""
    return {
        **settings.environment(),
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": HOST,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "HADOOP_USER_NAME": os.environ.get("HADOOP_USER_NAME", "weahouse"),
        "TZ": "UTC",
    }


def spark_home() -> Path:
    """PySpark's folder in this environment, found without importing it."""
    spec = find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("PySpark is not installed in this environment: run `make setup`")
    return Path(spec.submodule_search_locations[0])


def scratch_folder(settings: Settings, app: str) -> Path:
    """Where an application spills, keeps its state stores' working copies and unpacks native libraries."""
    return settings.home / "spark" / app
