#!/bin/bash
# Cassandra acknowledges what its log holds (docs/decisions/0019), and has threads for those that wait for it (0020);
# its image has no variables for that.
set -eu
sed -i -e 's/^commitlog_sync: .*/commitlog_sync: group/' \
    -e 's/^commitlog_sync_period: .*/commitlog_sync_group_window: 10ms/' \
    -e 's/^concurrent_writes: .*/concurrent_writes: 128/' /etc/cassandra/cassandra.yaml
exec docker-entrypoint.sh cassandra -f
