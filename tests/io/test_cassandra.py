from __future__ import annotations

import pytest

from weahouse.io.cassandra import CassandraError, connect
from weahouse.settings import Settings


def test_a_node_that_does_not_answer_is_told_in_one_sentence() -> None:
    with pytest.raises(CassandraError, match=r"Cassandra at 127\.0\.0\.1:1 does not answer: see `weahouse status`"):
        connect(Settings(cassandra_contact_points="127.0.0.1:1"))
