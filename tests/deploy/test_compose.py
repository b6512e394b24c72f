"""The container files: valid by the compose schema, at our versions, closed to the network, without a secret."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from weahouse.embedded.airflow import airflow_environment, connections
from weahouse.settings import ROOT, from_environment

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE, OVERRIDE = "docker-compose.yaml", "docker-compose.override.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / COMPOSE).read_text())["services"]
SCHEMA = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
MAVEN = "{http://maven.apache.org/POM/4.0.0}"


@pytest.mark.parametrize("file", [COMPOSE, OVERRIDE])
def test_a_compose_file_is_valid_by_the_compose_specification(file: str) -> None:
    jsonschema.validate(yaml.safe_load((ROOT / file).read_text()), json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize(
    ("service", "image", "pom", "artifact"),
    [
        ("kafka", "apache/kafka", "kafka", "kafka_2.13"),
        ("cassandra", "cassandra", "cassandra", "cassandra-all"),
        ("namenode", "apache/hadoop", "hdfs", "hadoop-hdfs"),
        ("datanode", "apache/hadoop", "hdfs", "hadoop-hdfs"),
    ],
)
def test_a_server_has_the_version_of_the_embedded_one(service: str, image: str, pom: str, artifact: str) -> None:
    assert SERVICES[service]["image"] == f"{image}:{pinned(pom, artifact)}"


def pinned(pom: str, artifact: str) -> str | None:
    tree = ElementTree.parse(ROOT / "deploy" / "embedded" / pom / "pom.xml")
    (dependency,) = [d for d in tree.iter(f"{MAVEN}dependency") if d.findtext(f"{MAVEN}artifactId") == artifact]
    return dependency.findtext(f"{MAVEN}version")


def test_both_images_of_airflow_have_the_version_that_is_required() -> None:
    (version,) = re.findall(r"^apache-airflow==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert f"FROM apache/airflow:{version}-python3.11\n" in (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    series = version.rpartition(".")[0]
    assert re.search(rf"^FROM \S+/runtime:{series}-\d+-python-3\.11$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_every_port_is_published_on_the_loopback_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_says_how_to_ask_for_its_health(service: str) -> None:
    assert "healthcheck" in SERVICES[service]


def test_the_addresses_are_read_by_settings() -> None:
    inside = from_environment(SERVICES["scheduler"]["environment"])
    assert (inside.kafka, inside.cassandra) == ("kafka:19092", [("cassandra", 9042)])
    assert (inside.hdfs, inside.webhdfs) == ("hdfs://namenode:8020", "http://namenode:9870")
    assert connections(inside)["kafka_default"]["extra"]["bootstrap.servers"] == "kafka:19092"  # type: ignore[index]


def test_what_the_containers_override_is_what_settings_render() -> None:
    overridden = {name for name in SERVICES["scheduler"]["environment"] if name.startswith("AIRFLOW__")}
    rendered = {name.removesuffix("_CMD") for name in airflow_environment(from_environment({}))}
    assert overridden <= rendered


def test_the_override_extends_services_that_exist() -> None:
    assert set(yaml.safe_load((ROOT / OVERRIDE).read_text())["services"]) <= set(SERVICES)


def test_each_file_that_a_command_names_exists() -> None:
    named = [word for service in SERVICES.values() for word in service.get("command", []) if "/" in word]
    assert named
    assert all((ROOT / word).is_file() for word in named)


def test_no_secret_stands_in_a_file_and_the_script_writes_each_that_is_asked_for(tmp_path: Path) -> None:
    text = (ROOT / COMPOSE).read_text()
    secrets = re.findall(r"(?im)^\s*\S*(?:password|secret|_conn)\S*:\s+(.+)$", text)
    assert secrets
    assert all("${" in secret for secret in secrets)
    subprocess.run(["sh", ROOT / "deploy" / "docker" / "write_env.sh"], cwd=tmp_path, check=True, capture_output=True)
    written = tmp_path / ".env"
    assert written.stat().st_mode & 0o077 == 0
    assert set(re.findall(r"\$\{(\w+):\?", text)) == {
        line.partition("=")[0] for line in written.read_text().splitlines()
    }


def test_the_script_leaves_an_env_file_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WEAHOUSE_POSTGRES_PASSWORD=mine\n")
    subprocess.run(["sh", ROOT / "deploy" / "docker" / "write_env.sh"], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / ".env").read_text() == "WEAHOUSE_POSTGRES_PASSWORD=mine\n"


def test_the_example_of_connections_for_astro_names_the_ones_that_settings_render() -> None:
    example = yaml.safe_load((ROOT / "airflow_settings.example.yaml").read_text())["airflow"]["connections"]
    rendered = connections(from_environment({}))
    assert {c["conn_id"]: c["conn_type"] for c in example} == {name: c["conn_type"] for name, c in rendered.items()}
