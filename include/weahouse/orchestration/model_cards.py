"""Cards of models, read from HDFS through `webhdfs_default`."""

from __future__ import annotations

from airflow.providers.apache.hdfs.hooks.webhdfs import AirflowWebHDFSHookException, WebHDFSHook
from hdfs import HdfsError

from weahouse.schemas.gold import CARD
from weahouse.schemas.render import model_path
from weahouse.settings import settings


class CardsUnreachableError(RuntimeError):
    """HDFS did not answer; one sentence."""


def read_card(name: str, version: str) -> str | None:
    """The page of one version of a model; None where there is none. Raises CardsUnreachableError."""
    file, hook = f"{model_path(name, version, settings().hdfs_root)}/{CARD}", WebHDFSHook()
    try:
        return hook.read_file(file).decode() if hook.check_for_path(file) else None
    # What the hook's client raises while servers are away is an OSError, or one of its own.
    except (AirflowWebHDFSHookException, HdfsError, OSError):
        raise CardsUnreachableError("HDFS does not answer: see `weahouse status`") from None
