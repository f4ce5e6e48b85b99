#!/usr/bin/env bash
# Creates the topics that are not there yet. Runs once, inside the image of Kafka.
set -euo pipefail

create() {
    /opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka:9092 --create --if-not-exists --replication-factor 1 "$@"
}

# As many partitions as members of a group can share; and by the broker's own clock, the time in the queue is no guess.
create --topic order.created --partitions 3 --config message.timestamp.type=LogAppendTime
create --topic order.created.dlt --partitions 1 --config message.timestamp.type=LogAppendTime
create --topic order.ended --partitions 3 --config message.timestamp.type=LogAppendTime
create --topic order.ended.dlt --partitions 1 --config message.timestamp.type=LogAppendTime
