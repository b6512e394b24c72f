from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.faults.bed import hdfs_admin

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
