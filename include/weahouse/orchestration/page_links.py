"""Buttons of tasks that open the pages which their applications have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

# Where plugins/data_docs.py and plugins/proofs.py serve them.
DATA_DOCS_URL, PROOFS_URL = "/quality/", "/proofs/"
# The list of all pages, as a page below such an address.
LIST = ""


class PageLink(BaseOperatorLink):
    """Opens the operator's `page`, below an address; without effect where it left none."""

    url = ""

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Asked by Airflow when the task has ended, however it ended."""
        page = getattr(operator, "page", None)
        return "" if page is None else f"{self.url}{page}"


class DataDocsLink(PageLink):
    """Leads to the page of a check."""

    name = "Data Docs"
    url = DATA_DOCS_URL


class ProofLink(PageLink):
    """Leads to the page of a proof."""

    name = "Proof"
    url = PROOFS_URL
