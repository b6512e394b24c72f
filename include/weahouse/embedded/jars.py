"""The servers' jars, resolved once per checkout from the poms in deploy/embedded/."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

from weahouse.embedded.process import EmbeddedError

if TYPE_CHECKING:
    from pathlib import Path

    from weahouse.settings import Settings

BUNDLES = ("kafka", "cassandra", "hdfs", "spark")
Report = Callable[[str], None]


def jar_folder(settings: Settings, bundle: str) -> Path:
    """Where the jars of `kafka`, `cassandra`, `hdfs` or `spark` stand after `resolve`."""
    return settings.cache / "jars" / bundle


def class_path(settings: Settings, bundle: str) -> str:
    return f"{jar_folder(settings, bundle)}/*"


def resolve(settings: Settings, report: Report) -> None:
    """Download what is missing or whose pom has changed; several instances may ask at once.

    Where Maven looks is left to the machine's own settings. Raises EmbeddedError when a download fails.
    """
    root = settings.cache / "jars"
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for bundle in BUNDLES:
            pom = settings.checkout / "deploy" / "embedded" / bundle / "pom.xml"
            digest = hashlib.sha256(pom.read_bytes()).hexdigest()
            stamp = jar_folder(settings, bundle) / ".pom-sha256"
            if not stamp.exists() or stamp.read_text() != digest:
                report(f"downloading the jars of {bundle}")
                _replace(jar_folder(settings, bundle), pom, digest)


def _replace(folder: Path, pom: Path, digest: str) -> None:
    """Fill a folder beside and swap it in, so that nobody ever sees half a class path."""
    filling = folder.with_name(f".{folder.name}.filling")
    shutil.rmtree(filling, ignore_errors=True)
    _maven(pom, filling)
    (filling / ".pom-sha256").write_text(digest)
    if folder.exists():
        former = folder.with_name(f".{folder.name}.former")
        shutil.rmtree(former, ignore_errors=True)
        folder.rename(former)
        shutil.rmtree(former, ignore_errors=True)
    filling.rename(folder)


def _maven(pom: Path, target: Path) -> None:
    command = [
        "mvn",
        "--batch-mode",
        "--quiet",
        f"--file={pom}",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={target}",
    ]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise EmbeddedError("Maven is missing: install the packages of packages.txt (make setup does)") from None
    if run.returncode or not any(target.glob("*.jar")):
        tail = "\n".join((run.stdout + run.stderr).splitlines()[-8:])
        raise EmbeddedError(f"the jars of {pom.parent.name} could not be downloaded:\n{tail}")
