"""The servers' configuration: templates of deploy/embedded/ rendered into home/conf/."""

from __future__ import annotations

import uuid
from string import Template
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from weahouse.embedded.jars import class_path
from weahouse.settings import PORTS, Settings

if TYPE_CHECKING:
    from pathlib import Path

# pom.xml is Maven's, everything else in a server's folder is a template.
_NOT_RENDERED = {"pom.xml"}


def conf_folder(settings: Settings, server: str) -> Path:
    """Where a server's rendered configuration stands."""
    return settings.home / "conf" / server


def render(settings: Settings, server: str) -> Path:
    """Render the templates of `kafka`, `cassandra`, `hdfs` or `postgres`; returns the folder they stand in."""
    folder = conf_folder(settings, server)
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: str(settings.port(name)) for name in PORTS} | {
        "home": str(settings.home),
        "home_url": settings.home.as_uri(),
        "conf": str(folder),
        "conf_url": folder.as_uri(),
        "class_path": class_path(settings, server),
    }
    for template in sorted((settings.checkout / "deploy" / "embedded" / server).iterdir()):
        if template.name not in _NOT_RENDERED:
            of_file = {k: escape(v) for k, v in values.items()} if template.suffix == ".xml" else values
            _replace(folder / template.name, Template(template.read_text()).substitute(of_file))
    return folder


def _replace(path: Path, text: str) -> None:
    """Write the file whole or not at all: NameNode and DataNode share a folder and start at the same time."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    draft.write_text(text)
    draft.replace(path)
