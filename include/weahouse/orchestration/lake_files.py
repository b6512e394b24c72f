"""How many files the lake has on HDFS, counted through `webhdfs_default` before and after they are compacted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.hdfs.hooks.webhdfs import WebHDFSHook
from airflow.sdk import BaseOperator

from weahouse.schemas.datasets import COMPACTED
from weahouse.schemas.render import path
from weahouse.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

# Files of data, of the log, and the bytes of both, by the table's name.
Counts = dict[str, dict[str, int]]


class CountFilesOperator(BaseOperator):
    """Counts the files that the folders of the compacted tables have, and their bytes.

    They are what HDFS keeps: those that a rewrite has put aside are among them for a week, so that what compaction
    saves is seen at once in its own answer, and here a week later.

    `only`: the name of the one table that the run is for. `compaction` and `before`: the tasks that compacted, and that
    counted before it; then the log shows both counts, and events of the outlets carry them, with what was compacted.
    """

    template_fields: Sequence[str] = ("only",)

    def __init__(
        self,
        *,
        only: str = "",
        before: str | None = None,
        compaction: str | None = None,
        webhdfs_conn_id: str = WebHDFSHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.only = only
        self.before = before
        self.compaction = compaction
        self.webhdfs_conn_id = webhdfs_conn_id

    def execute(self, context: Context) -> Counts:
        """Ask the NameNode; raises AirflowException, and is tried again, while it does not answer."""
        found = self.count()
        if self.before is None or self.compaction is None:
            self.log.info("files on HDFS: %s", json.dumps(found))
            return found
        earlier = context["ti"].xcom_pull(task_ids=self.before)
        for table, counts in found.items():
            self.log.info("%s: %s, before %s", table, json.dumps(counts), json.dumps(earlier.get(table)))
        answer = context["ti"].xcom_pull(task_ids=self.compaction)
        for outlet in self.outlets:
            told: dict[str, Any] = {"before": earlier, "after": found, "compaction": answer}
            context["outlet_events"][outlet].extra = told
        return found

    def count(self) -> Counts:
        """Of each table that exists `data_files`, `log_files` and `bytes`."""
        client = WebHDFSHook(self.webhdfs_conn_id).get_conn()
        found: Counts = {}
        for dataset in COMPACTED:
            folder = path(dataset, settings().hdfs_root)
            if self.only in ("", dataset.name) and (whole := client.content(folder, strict=False)):
                log = client.content(f"{folder}/_delta_log")["fileCount"]
                data = whole["fileCount"] - log
                found[dataset.name] = {"data_files": data, "log_files": log, "bytes": whole["length"]}
        return found
