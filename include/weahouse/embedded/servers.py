"""The table of the data servers: what to run, where it listens, and when it can be used."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.request
import uuid

from weahouse.embedded import postgres
from weahouse.embedded.config import conf_folder, render
from weahouse.embedded.java import java_home
from weahouse.embedded.process import EmbeddedError, Service
from weahouse.settings import HOST, Settings

# The settings' names of the ports that each server listens on, the one it is known by first; asked without Java.
PORTS_OF = {
    "namenode": ("namenode", "namenode_http"),
    "datanode": ("datanode", "datanode_ipc", "datanode_http"),
    "kafka": ("kafka", "kafka_controller"),
    "cassandra": ("cassandra", "cassandra_storage"),
    "postgres": ("postgres",),
}


def services(settings: Settings) -> list[Service]:
    """The data servers of the instance."""
    return [
        Service(
            "namenode",
            _java(settings, "hdfs", "org.apache.hadoop.hdfs.server.namenode.NameNode"),
            ports=_ports(settings, "namenode"),
            prepare=lambda: _format_hdfs(settings),
        ),
        Service(
            "datanode",
            _java(settings, "hdfs", "org.apache.hadoop.hdfs.server.datanode.DataNode"),
            ports=_ports(settings, "datanode"),
            prepare=lambda: _render_hdfs(settings),
            ready=lambda: _takes_blocks(settings),
        ),
        Service(
            "kafka",
            (*_java(settings, "kafka", "kafka.Kafka"), str(conf_folder(settings, "kafka") / "server.properties")),
            ports=_ports(settings, "kafka"),
            prepare=lambda: _format_kafka(settings),
            grace_s=20.0,
        ),
        Service(
            "cassandra",
            _java(settings, "cassandra", "org.apache.cassandra.service.CassandraDaemon"),
            ports=_ports(settings, "cassandra"),
            prepare=lambda: _render(settings, "cassandra"),
            patience_s=180.0,
            grace_s=20.0,
        ),
        postgres.service(settings),
    ]


def _ports(settings: Settings, server: str) -> tuple[int, ...]:
    return tuple(settings.port(name) for name in PORTS_OF[server])


def _java(settings: Settings, server: str, main_class: str) -> tuple[str, ...]:
    return (str(java_home() / "bin" / "java"), f"@{conf_folder(settings, server)}/jvm.options", main_class)


def _render(settings: Settings, server: str) -> None:
    render(settings, server)


def _render_hdfs(settings: Settings) -> None:
    # Maven's jars hold no web pages, and both daemons exit without these folders on their class path.
    for page in ("hdfs", "datanode", "static"):
        (render(settings, "hdfs") / "webapps" / page).mkdir(parents=True, exist_ok=True)


def _format_hdfs(settings: Settings) -> None:
    _render_hdfs(settings)
    if not (settings.home / "hdfs" / "name" / "current" / "VERSION").exists():
        main_class = "org.apache.hadoop.hdfs.server.namenode.NameNode"
        _run(settings, "namenode", (*_java(settings, "hdfs", main_class), "-format", "-force", "-nonInteractive"))


def _format_kafka(settings: Settings) -> None:
    properties = render(settings, "kafka") / "server.properties"
    if not (settings.home / "kafka" / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = _java(settings, "kafka", "kafka.tools.StorageTool")
        # One id in 64 begins with a hyphen, which on its own would be taken for an option.
        told = ("format", f"--cluster-id={cluster}", "--config", str(properties), "--standalone")
        _run(settings, "kafka", (*tool, *told))


def _run(settings: Settings, name: str, command: tuple[str, ...]) -> None:
    """Run a server's own set-up tool to its end."""
    run = subprocess.run(
        command, cwd=settings.home, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if run.returncode:
        tail = "\n".join((run.stdout + run.stderr).splitlines()[-8:])
        raise EmbeddedError(f"the storage of {name} under {settings.home} could not be formatted:\n{tail}")


def _takes_blocks(settings: Settings) -> bool:
    """Whether the NameNode has left safe mode and knows its DataNode."""
    url = f"http://{HOST}:{settings.port('namenode_http')}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            (state,) = json.load(answer)["beans"]
    except (OSError, ValueError, KeyError):
        return False
    return bool(state["NumLiveDataNodes"] >= 1 and state["FSState"] == "Operational")
