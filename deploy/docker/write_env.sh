#!/bin/sh
# Writes .env for docker-compose.yaml, readable by its owner only; an existing one stays as it is.
set -eu
umask 077
set -o noclobber
password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
if printf 'WEAHOUSE_POSTGRES_PASSWORD=%s\n' "$password" 2>/dev/null > .env; then
    echo "wrote .env"
else
    echo ".env exists and was left as it is; it must set WEAHOUSE_POSTGRES_PASSWORD"
fi
