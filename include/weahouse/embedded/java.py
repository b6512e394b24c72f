"""The Java that the servers run on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from weahouse.embedded.process import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Cassandra 5.0 runs on 11 and 17, Kafka 4 and Spark 4 need 17: one release serves all.
RELEASE = "17"


def java_home() -> Path:
    """The home of a Java 17: $JAVA_HOME, the `java` on PATH, or Debian's package; raises EmbeddedError without one."""
    for home in _candidates():
        if _release(home) == RELEASE:
            return home
    raise EmbeddedError(f"no Java {RELEASE} was found: install openjdk-17-jdk-headless or set JAVA_HOME to one")


def _candidates() -> Iterator[Path]:
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parents[1]
    yield from sorted(Path("/usr/lib/jvm").glob(f"*-{RELEASE}-*"))


def _release(home: Path) -> str | None:
    """`17` of the line JAVA_VERSION="17.0.15" in the file that every JDK carries; cheaper than running it."""
    try:
        lines = (home / "release").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, value = line.partition("=")
        if name == "JAVA_VERSION":
            return value.strip('"').partition(".")[0]
    return None
