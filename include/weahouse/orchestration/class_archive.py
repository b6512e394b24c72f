"""Makes the archive of the classes that Spark's JVMs begin with (AppCDS): mapped, and not read and checked each time.

Spark, Delta and Hadoop take thousands of classes from 290 jars before their first job (docs/decisions/0042).
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from weahouse.orchestration.spark_submit import (
    QUIET,
    scratch_folder,
    shared_classes,
    spark_environment,
    spark_submit_command,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from weahouse.settings import Settings

APP = "archive_classes.py"
# Some 100 s of CPU, on cores that are busy with other work.
_AT_MOST_S = 300.0


def ensure(settings: Settings, report: Callable[[str], None]) -> None:
    """Make the archive where there is none for this Java and these jars; several instances may ask at once.

    Nothing depends on it: where it cannot be made, that is reported, and applications start as they do without.
    """
    archive = shared_classes(settings)
    with archive.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if archive.exists() and _fits(settings, archive):
            return
        archive.unlink(missing_ok=True)
        report("archiving the classes of Spark, by which every application starts sooner")
        draft = archive.with_suffix(".draft")
        failure = _make(settings, draft)
        if failure is None:
            draft.replace(archive)
        else:
            report(f"the classes of Spark were not archived, so applications start slower: {failure}")


def _fits(settings: Settings, archive: Path) -> bool:
    """Whether Java maps the archive for the jars as they stand: it compares its own version, places and times."""
    return _submit(settings, f"-Xshare:on -XX:SharedArchiveFile={archive}", "--version").returncode == 0


def _make(settings: Settings, draft: Path) -> str | None:
    """Run the application whose JVM leaves its classes at its end; what went wrong, None where nothing did."""
    scratch = scratch_folder(settings, Path(APP).stem)
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        try:
            run = _submit(settings, f"-XX:ArchiveClassesAtExit={draft} {QUIET}", arguments=(folder,))
        except subprocess.TimeoutExpired:
            return f"{APP} took more than {_AT_MOST_S:.0f} s"
    if run.returncode == 0 and draft.exists():
        return None
    # An application's own words, its errors too, come on its JVM's standard output.
    return "\n".join((run.stderr + run.stdout).splitlines()[-8:])


def _submit(
    settings: Settings, java_options: str, *options: str, arguments: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run spark-submit with options of the application's JVM; its first one only renders that one's command."""
    program, *command = spark_submit_command(settings, APP, *arguments, master="local[2]")
    # What a test run asks of every JVM would take other classes than applications do.
    inherited = {name: value for name, value in os.environ.items() if name != "JAVA_TOOL_OPTIONS"}
    return subprocess.run(
        [program, *options, *command],
        env={**inherited, **spark_environment(settings), "SPARK_SUBMIT_OPTS": java_options},
        capture_output=True,
        text=True,
        check=False,
        timeout=_AT_MOST_S,
        stdin=subprocess.DEVNULL,
    )
