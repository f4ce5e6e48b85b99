#!/usr/bin/env bash
# Kills and starts the members of a consumer group under load: scripts/soak.sh ORDERFLOW [ARGUMENT...]
# ORDERFLOW is the command that starts a real Kafka of its own, unless the arguments have --brokers.
set -euo pipefail
cd "$(dirname "$0")/.."

orderflow=$1
shift
soak=(cargo run --quiet --release --package soak -- run "$@")

if [[ " $* " == *" --brokers"* ]]; then
    exec "${soak[@]}"
fi

ORDERFLOW_DIR=$(mktemp -d)
export ORDERFLOW_DIR
# PostgreSQL refuses to run as root and changes its user, which must be able to get at the folder.
chmod 755 "$ORDERFLOW_DIR"
trap '"$orderflow" down; rm -rf "$ORDERFLOW_DIR"' EXIT
"$orderflow" up --servers native --only-servers --free-ports --detach
settings=$("$orderflow" env)
if grep ORDERFLOW_STAND_IN_KAFKA <<<"$settings" >&2; then
    echo "soak: this machine cannot run the real Kafka; name another with ARGS='--brokers host:port'" >&2
    exit 1
fi
KAFKA_BROKERS=$(sed -n 's/^KAFKA_BROKERS=//p' <<<"$settings")
export KAFKA_BROKERS
"${soak[@]}"
