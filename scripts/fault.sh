#!/usr/bin/env bash
# Makes one thing go wrong in the stack that runs, places an order, and shows its trace: scripts/fault.sh ORDERFLOW NAME
# docs/faults.md says what is to be seen. What was switched on is switched off at the end, however that comes.
set -euo pipefail

names='busy        the embeddings endpoint answers 503 twice, then works
limited     the same with 429
refused     the embeddings endpoint refuses the order for good: a dead letter, shown, and redriven
greylist    the mail server puts each recipient off once
no-stock    an order for more than there is
paused      the classifier is paused for five seconds
poison      what is no message in SQS and in Pub/Sub: dead letters, and the next order goes on
nplus1      the orders listed with a query for each'

usage() {
    echo "usage: make fault NAME=<name>, with one of:"
    while read -r line; do echo "  $line"; done <<<"$names"
}

[[ ${2:-} && ${2:-} != --help ]] || { usage; exit 0; }
orderflow=$1 name=$2
grep -q "^$name " <<<"$names" || { usage >&2; exit 2; }

settings=$("$orderflow" env) || { echo "fault: nothing runs; start it with make up" >&2; exit 1; }
setting() { sed -n "s/^$1='\{0,1\}\([^']*\)'\{0,1\}$/\1/p" <<<"$settings"; }
gateway=$(setting GATEWAY_URL) embeddings=$(setting OPENAI_BASE_URL) mail=$(setting MAIL_URL)
embeddings=${embeddings%/v1}

faults() { # of a stand-in, a list of them
    curl --fail --silent --show-error --output /dev/null --request PUT --header 'content-type: application/json' \
        --data "{\"faults\": [$2]}" "$1/faults" ||
        { echo "fault: the stand-in at $1 is not ours, and takes no faults" >&2; exit 1; }
}
mend() {
    curl --silent --output /dev/null --request DELETE "$embeddings/faults" || true
    curl --silent --output /dev/null --request DELETE "$mail/faults" || true
}
trap mend EXIT

place() { # note, item, quantity; prints the order id
    curl --fail --silent --show-error --header 'content-type: application/json' --data "{\"customer_id\": \"fault\",
        \"note\": \"$1\", \"items\": [{\"item_id\": \"$2\", \"quantity\": $3, \"price\": 100}]}" "$gateway/orders" |
        sed 's/.*"order_id":"\([^"]*\)".*/\1/'
}
status() { curl --silent "$gateway/orders/$1" | sed 's/.*"status":"\([^"]*\)".*/\1/'; }
follow() { # order id, one status more to wait out
    local deadline=$((SECONDS + 120)) now
    while now=$(status "$1"); [[ $now == pending || $now == "${2:-}" ]]; do
        ((SECONDS < deadline)) || { echo "fault: order $1 is still $now" >&2; exit 1; }
        sleep 0.2
    done
    echo "order $1 is $now"
}
# A mail that comes later belongs to the trace as well; the command waits for it.
show() { "$orderflow" trace "$1"; }

case $name in
busy | limited)
    [[ $name == busy ]] && kind=unavailable || kind=rate_limit
    faults "$embeddings" "\"$kind:2\""
    order=$(place "ring twice" ITEM-001 1) && follow "$order" && show "$order"
    ;;
refused)
    faults "$embeddings" '"refuse:unmentionable"'
    order=$(place "unmentionable" ITEM-001 1)
    echo "each attempt fails; after MESSAGING_MAX_ATTEMPTS of them the job is a dead letter"
    follow "$order" && "$orderflow" dlq list
    mend && "$orderflow" dlq redrive --all && follow "$order" failed && show "$order"
    ;;
greylist)
    faults "$mail" '"greylist:1"'
    order=$(place "" ITEM-001 1) && follow "$order" && show "$order"
    ;;
no-stock)
    order=$(place "" ITEM-010 1000) && follow "$order" && show "$order"
    ;;
paused)
    "$orderflow" pause classifier
    order=$(place "" ITEM-001 1) && sleep 5
    show "$order" || true
    "$orderflow" resume classifier
    follow "$order" && show "$order"
    ;;
poison)
    sqs=$(setting AWS_ENDPOINT_URL_SQS) pubsub=$(setting PUBSUB_EMULATOR_HOST) project=$(setting PUBSUB_PROJECT_ID)
    queue=$(curl --silent "$sqs/?Action=GetQueueUrl&QueueName=classification-jobs" |
        sed 's/.*<QueueUrl>\([^<]*\)<.*/\1/')
    curl --fail --silent --show-error --output /dev/null "$queue" --data 'Action=SendMessage&MessageBody=rubbish'
    curl --fail --silent --show-error --output /dev/null --header 'content-type: application/json' \
        --data '{"messages": [{"data": "cnViYmlzaA=="}]}' \
        "http://$pubsub/v1/projects/$project/topics/order.classified:publish"
    order=$(place "" ITEM-001 1) && follow "$order" && "$orderflow" dlq list
    ;;
nplus1)
    curl --silent --include --output /dev/null --write-out '%header{traceresponse}\n' "$gateway/orders-nplus1" |
        cut -d- -f2 | while read -r trace; do show "$trace"; done
    ;;
esac
