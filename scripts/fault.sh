#!/usr/bin/env bash
# Makes one thing go wrong, places an order, and shows its trace: scripts/fault.sh ORDERFLOW NAME
# docs/faults.md says what is to be seen. What was changed is changed back at the end, however that comes.
set -euo pipefail

usage() {
    cat <<'END'
usage: make fault NAME=<name>

in the stack that runs:
  unreachable     the embeddings endpoint is away for three seconds
  busy            it answers 503 twice, then works
  limited         the same with 429
  refused         it refuses the order for good: a dead letter, shown, and redriven when it is mended
  greylist        the mail server puts the recipient off once
  no-stock        an order for more than there is
  paused          the classifier is frozen for five seconds
  duplicate       order.created comes a second time
  poison          what is no message of ours on Kafka, SQS and Pub/Sub: dead letters, and orders go on
  nplus1          the orders listed with a query for each

in a stack of its own, since they are settings that it starts with:
  slow-inventory  each hold takes two seconds longer
  drop-http, drop-outbox, drop-kafka, drop-sqs, drop-pubsub
                  that hop drops the trace context
END
}

fail() {
    echo "error: $*" >&2
    exit 1
}

patience=120
orderflow=${1:-} name=${2:-}
settings='' in_containers=false
# Commands that change things back, the last one first.
undo=()

change_back() {
    local i
    for ((i = ${#undo[@]} - 1; i >= 0; i--)); do
        eval "${undo[i]}" || echo "error: could not change back: ${undo[i]}" >&2
    done
    undo=()
}

# --- The stack -------------------------------------------------------------------------------------------------------

# The one that `orderflow up` runs, or else the containers, at the ports that compose gives them.
find_stack() {
    local hint
    settings=$("$orderflow" env 2>/dev/null) && return
    hint=$("$orderflow" env 2>&1) || true
    settings="GATEWAY_URL=http://127.0.0.1:${GATEWAY_PORT:-8080}
MAIL_URL=http://127.0.0.1:${MAIL_PORT:-8025}
OPENAI_BASE_URL=http://127.0.0.1:${EMBEDDINGS_PORT:-8090}/v1
KAFKA_BROKERS=127.0.0.1:${KAFKA_PORT:-9092}
AWS_ENDPOINT_URL_SQS=http://127.0.0.1:${SQS_PORT:-9324}
PUBSUB_EMULATOR_HOST=127.0.0.1:${PUBSUB_PORT:-8085}
PUBSUB_PROJECT_ID=orderflow"
    curl --silent --output /dev/null "$(setting GATEWAY_URL)/healthz" ||
        fail "nothing is ready; start it with 'make up' or 'make all-up'${hint:+ (${hint#error: })}"
    in_containers=true
}

# Starts one with the given settings, on free ports, with nothing in it.
own_stack() {
    # The command then finds this one, and is not told to look elsewhere.
    unset GATEWAY_URL JAEGER_URL MAIL_URL
    ORDERFLOW_DIR=$(mktemp -d "${TMPDIR:-/tmp}/orderflow-fault.XXXXXX")
    export ORDERFLOW_DIR
    # PostgreSQL refuses to run as root, and the user that it runs as then must get at its folder.
    chmod 755 "$ORDERFLOW_DIR"
    undo+=("rm -rf '$ORDERFLOW_DIR'" "'$orderflow' down 2>/dev/null")
    echo "a stack is started with $*"
    env "$@" "$orderflow" up --servers embedded --free-ports --detach >"$ORDERFLOW_DIR/up.log" 2>&1 ||
        { cat "$ORDERFLOW_DIR/up.log" >&2; fail "it did not start"; }
    settings=$("$orderflow" env)
}

setting() { sed -n "s/^$1='\{0,1\}\([^']*\)'\{0,1\}$/\1/p" <<<"$settings"; }

part() { # stop, start, pause or resume, and which
    if $in_containers; then
        # Or compose would look for another project.
        unset "${!COMPOSE_@}"
        docker compose --profile services "${1/resume/unpause}" "$2"
    else
        "$orderflow" "$1" "$2"
    fi
}

# --- What goes wrong -------------------------------------------------------------------------------------------------

faults() { # of whom (embeddings or mail), and which
    local url before
    case $1 in
    embeddings) url=$(setting OPENAI_BASE_URL) url=${url%/v1}/faults ;;
    mail) url=$(setting MAIL_URL)/faults ;;
    esac
    # Ours answers with a list; MailDev has a page for everything.
    before=$(curl --fail --silent "$url") || true
    [[ $before == '{"faults":'* ]] ||
        fail "what answers for $1 at ${url%/faults} takes no faults; that of 'make up' does"
    undo+=("put_faults '$url' '$before'")
    put_faults "$url" "{\"faults\": [\"$2\"]}"
    echo "$1: $2"
}

put_faults() {
    curl --fail --silent --show-error --output /dev/null --request PUT --header 'content-type: application/json' \
        --data "$2" "$1"
}

kafka_record() {
    local program
    program=$(dirname "$orderflow")/kafka_record
    [[ -x $program ]] || fail "$program is missing; 'make build' builds it"
    RUST_BACKTRACE=0 "$program" --brokers "$(setting KAFKA_BROKERS)" "$@"
}

rubbish_to_sqs() { # queue
    local url
    url=$(ask_sqs GetQueueUrl "{\"QueueName\": \"$1\"}" | sed -n 's/.*"QueueUrl": *"\([^"]*\)".*/\1/p')
    ask_sqs SendMessage "{\"QueueUrl\": \"$url\", \"MessageBody\": \"rubbish\"}" >/dev/null
    echo "$url"
}

ask_sqs() { # operation request
    curl --fail --silent --show-error --header 'content-type: application/x-amz-json-1.0' \
        --header "x-amz-target: AmazonSQS.$1" --data "$2" "$(setting AWS_ENDPOINT_URL_SQS)/"
}

rubbish_to_pubsub() { # topic
    local url
    url=http://$(setting PUBSUB_EMULATOR_HOST)/v1/projects/$(setting PUBSUB_PROJECT_ID)/topics/$1
    curl --fail --silent --show-error --output /dev/null --header 'content-type: application/json' \
        --data "{\"messages\": [{\"data\": \"$(printf rubbish | base64)\"}]}" "$url:publish"
    echo "$url"
}

# --- Orders ----------------------------------------------------------------------------------------------------------

place() { # note, item, quantity; prints the order id
    local placed
    placed=$(place_traced "$@") || return
    echo "${placed% *}"
}

place_traced() { # the same; prints the trace that the gateway has answered with, too
    local answer order trace
    answer=$(curl --fail-with-body --silent --show-error --include --header 'content-type: application/json' --data "{
        \"customer_id\": \"fault\", \"note\": \"$1\",
        \"items\": [{\"item_id\": \"$2\", \"quantity\": $3, \"price\": 100}]}" "$(setting GATEWAY_URL)/orders") ||
        fail "the order was refused: $answer"
    order=${answer#*\"order_id\":\"}
    trace=$(sed -n 's/^[Tt]raceresponse: 00-\([0-9a-f]*\)-.*/\1/p' <<<"$answer")
    echo "${order%%\"*} $trace"
}

status() { curl --silent "$(setting GATEWAY_URL)/orders/$1" | sed 's/.*"status":"\([^"]*\)".*/\1/'; }

until_true() { # what is waited for, and a command that says whether it is so
    local what=$1 deadline=$((SECONDS + patience))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || fail "$what: not within $patience s"
        sleep 0.2
    done
}

is_no_more() { # order, status…
    local now
    now=$(status "$1")
    [[ -n $now && " ${*:2} " != *" $now "* ]]
}

follow() { # order, and a status to wait out beside pending
    until_true "order $1 leaves pending ${2:-}" is_no_more "$1" pending "${2:-}"
    echo "order $1 is $(status "$1")"
}

# A trace that is not whole has been shown all the same.
show() { echo && { "$orderflow" trace "$1" || true; }; }

place_and_show() {
    local order
    order=$(place "$@")
    follow "$order"
    show "$order"
}

has_spans() { # order, name, how many
    (($("$orderflow" trace "$1" 2>/dev/null | grep -c "$2") >= $3))
}

letters() { "$orderflow" dlq list | grep -c ' waiting  ' || true; }
has_letters() { (($(letters) >= $1)); }

# --- The faults ------------------------------------------------------------------------------------------------------

unreachable() {
    local order
    undo+=("part start embeddings")
    part stop embeddings
    order=$(place "" ITEM-001 1)
    sleep 3
    change_back
    follow "$order"
    show "$order"
}

refused() {
    # 20 attempts, the default, take five minutes or more.
    local order letter patience=900
    faults embeddings refuse:unmentionable
    order=$(place unmentionable ITEM-001 1)
    echo "each attempt fails; after MESSAGING_MAX_ATTEMPTS of them the job is a dead letter"
    follow "$order"
    # The status is set before the letter is there.
    until_true "a letter of order $order" has_letter "$order"
    letter=$(letter_of "$order")
    "$orderflow" dlq show "$letter"
    change_back
    echo && "$orderflow" dlq redrive "$letter"
    follow "$order" failed
    echo && "$orderflow" dlq list --from sqs
    show "$order"
}

letter_of() { "$orderflow" dlq list --from sqs | awk -v order="$1" '$4 == order && / waiting / { print $1 }'; }
has_letter() { [[ $(letter_of "$1") ]]; }

paused() {
    local order
    undo+=("part resume classifier")
    part pause classifier
    order=$(place "" ITEM-001 1)
    sleep 5
    show "$order"
    change_back
    follow "$order"
    show "$order"
}

duplicate() {
    local order
    order=$(place "" ITEM-001 1)
    follow "$order"
    echo "again: $(kafka_record order.created repeat "$order")"
    until_true "the second order.created is worked off" has_spans "$order" "process classification-jobs" 2
    # What it called tells its own part of the trace a moment later.
    sleep 0.5
    follow "$order"
    show "$order"
}

poison() {
    local before
    before=$(letters)
    echo "rubbish: $(kafka_record order.created garbage rubbish)"
    echo "rubbish: $(rubbish_to_sqs classification-jobs)"
    echo "rubbish: $(rubbish_to_pubsub order.classified)"
    place_and_show "" ITEM-001 1
    until_true "three dead letters" has_letters $((before + 3))
    echo && "$orderflow" dlq list
    show "$("$orderflow" dlq list --from order.created.dlt | sed -n 's/.* trace \([0-9a-f]*\)  waiting .*/\1/p' | tail -n 1)"
}

# The story in two traces. The command says where it goes on, but for the one that ends in the gateway: no order is in it.
drop() {
    local placed shown other
    own_stack "FAULT_DROP_CONTEXT=$1"
    placed=$(place_traced "" ITEM-001 1)
    follow "${placed% *}"
    shown=$(show "${placed% *}")
    other=$(sed -n 's|.*/trace/\([0-9a-f]*\)$|\1|p' <<<"$shown")
    [[ $other ]] || show "${placed#* }"
    echo "$shown"
    [[ ! $other ]] || show "$other"
}

nplus1() {
    local path trace
    for _ in 1 2 3; do place "" ITEM-001 1 >/dev/null; done
    for path in orders-nplus1 orders; do
        trace=$(curl --silent --dump-header - --output /dev/null "$(setting GATEWAY_URL)/$path" |
            sed -n 's/^[Tt]raceresponse: 00-\([0-9a-f]*\)-.*/\1/p')
        show "$trace"
    done
}

case $name in
'' | -h | --help)
    usage
    exit
    ;;
slow-inventory | drop-http | drop-outbox | drop-kafka | drop-sqs | drop-pubsub) ;;
unreachable | busy | limited | refused | greylist | no-stock | paused | duplicate | poison | nplus1) find_stack ;;
*)
    usage >&2
    exit 2
    ;;
esac
trap change_back EXIT

case $name in
busy) faults embeddings unavailable:2 && place_and_show "" ITEM-001 1 ;;
limited) faults embeddings rate_limit:2 && place_and_show "" ITEM-001 1 ;;
greylist) faults mail greylist && place_and_show "" ITEM-001 1 ;;
no-stock) place_and_show "" ITEM-010 1000 ;;
slow-inventory) own_stack FAULT_INVENTORY_DELAY_MS=2000 && place_and_show "" ITEM-001 1 ;;
drop-*) drop "${name#drop-}" ;;
*) "$name" ;;
esac
