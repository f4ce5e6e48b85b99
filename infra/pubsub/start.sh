#!/usr/bin/env bash
# Starts Google's Pub/Sub emulator, and creates its topics and subscriptions. Runs inside the image of the emulator.
# The emulator keeps them in memory, so this belongs to every start of it, also to one after a crash.
# A restart loses no message that is handed out within two seconds; a crash loses those that wait.
set -euo pipefail

api=http://127.0.0.1:8085/v1/projects/orderflow

# All requests in one go, over one connection.
requests=(--fail-early)

create() {
    local path=$1 body=$2
    requests+=(--silent --show-error --fail --output /dev/null --request PUT)
    requests+=(--header 'Content-Type: application/json' --data "$body" "$api/$path" --next)
}

# Services publish as soon as there is a topic. What a topic retains, a subscription gets that is created after it.
topic() {
    create "topics/$1" '{"messageRetentionDuration": "600s"}'
}

# A subscription to a topic, with more fields if any.
subscription() {
    local id=$1 topic=$2 more=${3:-}
    create "subscriptions/$id" "{\"topic\": \"projects/orderflow/topics/$topic\", \"ackDeadlineSeconds\": 10$more}"
}

# A message that a service hands back comes again after a delay that doubles.
retry=', "retryPolicy": {"minimumBackoff": "0.2s", "maximumBackoff": "30s"}'

# The broker's own bound on attempts is far above the one that the services keep (MESSAGING_MAX_ATTEMPTS):
# nobody would end the order of a message that the broker moves.
dead_letters=', "deadLetterPolicy": {"deadLetterTopic": "projects/orderflow/topics/order.classified.dlq", "maxDeliveryAttempts": 100}'

topic order.classified.dlq
subscription order.classified.dlq order.classified.dlq
topic order.classified
subscription orders order.classified "$dead_letters$retry"

# Without a topic nobody can publish, and tries again; the subscriptions go on to hand out what they have. How much that
# is cannot be asked, hence the sleep.
stop() {
    curl --silent --output /dev/null --request DELETE "$api/topics/order.classified"
    sleep 2
    kill "$emulator"
}

gcloud beta emulators pubsub start --project=orderflow --host-port=0.0.0.0:8085 &
emulator=$!
trap stop TERM INT
curl --silent --show-error --output /dev/null --retry 60 --retry-delay 1 --retry-connrefused "$api/topics" &
# For the answer, or for the end of the emulator; bash hears no signal while it waits for a command itself.
wait -n
curl "${requests[@]}" --silent --show-error --fail --output /dev/null "$api/topics"

wait "$emulator"
