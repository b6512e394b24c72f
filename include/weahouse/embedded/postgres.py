"""Airflow's database: Debian's Postgres, with a cluster of its own in the home."""

from __future__ import annotations

from weahouse.embedded.process import Service
from weahouse.settings import Settings


def service(settings: Settings) -> Service:
    return Service("postgres", ("false",))
