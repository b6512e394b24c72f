"""Makes the archive of the classes that Spark's JVMs begin with (AppCDS): mapped, and not read and checked each time.

Spark, Delta and Hadoop take some 20,000 classes from 290 jars before their first job.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

from weahouse.embedded.java import java_home
from weahouse.orchestration.spark_submit import (
    class_archive,
    driver_class_path,
    scratch_folder,
    spark_environment,
    spark_home,
    spark_submit_command,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from weahouse.settings import Settings

APP = "archive_classes.py"
# Half a minute on two idle cores.
_AT_MOST_S = 300.0


def ensure(settings: Settings, report: Callable[[str], None]) -> None:
    """Make the archive where there is none for this Java and these jars; several instances may ask at once.

    Nothing depends on it: where it cannot be made, that is reported, and applications start as they do without.
    """
    archive = class_archive(settings)
    with archive.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if archive.exists() and _fits(settings, archive):
            return
        archive.unlink(missing_ok=True)
        report("archiving the classes of Spark, by which every application starts sooner")
        draft = archive.with_suffix(".draft")
        failure = _make(settings, draft)
        if failure is None:
            draft.rename(archive)
        else:
            report(f"the classes of Spark were not archived, so applications start slower: {failure}")


def _fits(settings: Settings, archive: Path) -> bool:
    """Whether Java maps the archive for the jars as they stand: it compares its own version, places and times."""
    class_path = f"{driver_class_path(settings)}:{spark_home()}/jars/*"
    command = [str(java_home() / "bin" / "java"), "-Xshare:on", f"-XX:SharedArchiveFile={archive}"]
    run = subprocess.run([*command, "-cp", class_path, "-version"], capture_output=True, check=False)
    return run.returncode == 0


def _make(settings: Settings, draft: Path) -> str | None:
    """Run the application whose JVM leaves its classes at its end; what went wrong, None where nothing did."""
    scratch = scratch_folder(settings, "archive_classes")
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        try:
            run = subprocess.run(
                spark_submit_command(settings, APP, folder, master="local[2]"),
                # Options of the application's JVM alone: spark-submit's first one only renders its command.
                env={
                    **os.environ,
                    **spark_environment(settings),
                    "SPARK_SUBMIT_OPTS": f"-XX:ArchiveClassesAtExit={draft}",
                },
                capture_output=True,
                text=True,
                check=False,
                timeout=_AT_MOST_S,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            return f"{APP} took more than {_AT_MOST_S:.0f} s"
    if run.returncode:
        return "\n".join((run.stdout + run.stderr).splitlines()[-8:])
    return None
