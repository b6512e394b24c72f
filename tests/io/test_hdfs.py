from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.faults.bed import hdfs_admin
from tests.integration.conftest import eventually

from weahouse.io.hdfs import Hdfs

if TYPE_CHECKING:
    from weahouse.settings import Settings


def test_a_full_disk_is_an_os_error_as_every_refusal_of_the_servers_is(platform: Settings):
    hdfs = Hdfs(platform)
    hdfs.mkdirs("/full")
    hdfs_admin(platform, "-setSpaceQuota", "1m", "/full")
    with pytest.raises(OSError, match="quota") as refused:
        hdfs.write_json("/full/document.json", {"a": 1})
    assert "\tat" not in str(refused.value)
    hdfs_admin(platform, "-clrSpaceQuota", "/full")
    hdfs.write_json("/full/document.json", {"a": 2})
    assert hdfs.read_json("/full/document.json") == {"a": 2}


@dataclass
class HeldUp:
    """The client of a reader who is held up after opening a document, which is replaced meanwhile."""

    hdfs: Hdfs
    client: Any
    opened: int = 0

    def read(self, path: str) -> Any:
        reader = self.client.read(path)
        self.opened += 1
        if self.opened == 1:
            self.hdfs.write_json(path, {"a": 2})
            eventually(lambda: not can_read(reader), "the end of what was replaced", 60)
            reader.seek(0)
        return reader


def can_read(reader: Any) -> bool:
    reader.seek(0)
    try:
        return bool(reader.read())
    except RuntimeError:
        return False


def test_a_document_that_is_replaced_while_it_is_read_is_read_anew(platform: Settings):
    hdfs = Hdfs(platform)
    hdfs.write_json("/replaced/document.json", {"a": 1})
    reader = Hdfs(platform)
    reader._client = HeldUp(hdfs, reader._client)
    assert reader.read_json("/replaced/document.json") == {"a": 2}
    assert reader._client.opened == 2
