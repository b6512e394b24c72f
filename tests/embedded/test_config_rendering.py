from __future__ import annotations

import stat
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
import yaml

from weahouse.embedded.config import render
from weahouse.embedded.postgres import service as postgres_service
from weahouse.embedded.secrets import secret, secret_file
from weahouse.embedded.servers import PORTS_OF, services
from weahouse.settings import PORTS, Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def instance(tmp_path: Path) -> Settings:
    # A path that a careless template would break: a space and an ampersand.
    return Settings(home=tmp_path / "a & b", cache=tmp_path / "cache", port_offset=300)


def properties(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_kafka_listens_on_the_loopback_ports_of_the_instance(instance: Settings) -> None:
    conf = properties(render(instance, "kafka") / "server.properties")
    assert conf["listeners"] == "PLAINTEXT://127.0.0.1:9392,CONTROLLER://127.0.0.1:9393"
    assert conf["log.dirs"] == f"{instance.home}/kafka"


def test_cassandra_keeps_everything_under_the_home(instance: Settings) -> None:
    conf = yaml.safe_load((render(instance, "cassandra") / "cassandra.yaml").read_text())
    assert conf["native_transport_port"] == 9342
    assert {conf["listen_address"], conf["rpc_address"]} == {"127.0.0.1"}
    folders = [*conf["data_file_directories"], *(v for k, v in conf.items() if k.endswith("_directory"))]
    assert all(folder.startswith(f"{instance.home}/cassandra/") for folder in folders)


def test_hdfs_stays_well_formed_and_on_the_loopback(instance: Settings) -> None:
    root = ElementTree.parse(render(instance, "hdfs") / "hdfs-site.xml").getroot()
    conf = {item.findtext("name"): item.findtext("value") for item in root.iter("property")}
    addresses = {name: value for name, value in conf.items() if name and name.endswith("address")}
    assert len(addresses) == 5
    assert all(value and value.startswith("127.0.0.1:") for value in addresses.values())
    assert conf["dfs.namenode.name.dir"] == f"{instance.home.as_uri()}/hdfs/name"


@pytest.mark.parametrize("server", ["kafka", "cassandra", "hdfs"])
def test_rendering_leaves_no_placeholder_and_no_draft(instance: Settings, server: str) -> None:
    folder = render(instance, server)
    files = list(folder.iterdir())
    assert files
    assert not any(file.name.startswith(".") for file in files)
    assert not any("${" in file.read_text() for file in files)


def test_every_server_has_ports_of_its_own_and_all_are_in_the_settings() -> None:
    names = [name for ports in PORTS_OF.values() for name in ports]
    assert len(names) == len(set(names))
    assert set(names) == set(PORTS) - {"airflow"}


def test_the_table_of_servers_names_each_once(instance: Settings) -> None:
    assert sorted(service.name for service in services(instance)) == sorted(PORTS_OF)


def test_a_secret_is_generated_once_into_a_private_file(instance: Settings) -> None:
    first = secret(instance, "postgres")
    assert secret(instance, "postgres") == first
    assert len(first) >= 64
    assert stat.S_IMODE(secret_file(instance, "postgres").stat().st_mode) == 0o600
    assert stat.S_IMODE(secret_file(instance, "postgres").parent.stat().st_mode) == 0o700


def test_no_secret_stands_on_the_command_line_of_postgres(instance: Settings) -> None:
    password = secret(instance, "postgres")
    assert not any(password in argument for argument in postgres_service(instance).command)
