#!/usr/bin/env bash
# Orders at full speed with the trace backend there and with it away, in turn: scripts/traces-away.sh ORDERFLOW
# Prints of each run the time that POST /orders took, the memory of the services, and the spans that they say were lost.
set -euo pipefail

usage() {
    cat <<'END'
usage: make bench-traces-away

  ORDERS=2000      orders of each run
  PAIRS=3          pairs of runs, of which every other begins with the backend away
  AT_ONCE=16       orders under way at once
  AWAY=30          seconds that the backend is away at least
  STACK=embedded   or native, which stops Jaeger itself
END
}

orderflow=${1:-}
[[ -x $orderflow ]] || {
    usage >&2
    exit 2
}
orders=${ORDERS:-2000} pairs=${PAIRS:-3} at_once=${AT_ONCE:-16} away=${AWAY:-30} servers=${STACK:-embedded}
services=(gateway orders inventory classifier email)

# The command then finds the stack of this script, and is not told to look elsewhere.
unset GATEWAY_URL JAEGER_URL MAIL_URL
ORDERFLOW_DIR=$(mktemp -d "${TMPDIR:-/tmp}/orderflow-bench.XXXXXX")
export ORDERFLOW_DIR
# PostgreSQL refuses to run as root, and the user that it runs as then must get at its folder.
chmod 755 "$ORDERFLOW_DIR"
down() { "$orderflow" down >"$ORDERFLOW_DIR/down.log" 2>&1 || cat "$ORDERFLOW_DIR/down.log" >&2; }
trap 'down; rm -rf "$ORDERFLOW_DIR"' EXIT
"$orderflow" up --servers "$servers" --free-ports --detach >"$ORDERFLOW_DIR/up.log" 2>&1 ||
    { cat "$ORDERFLOW_DIR/up.log" >&2; exit 1; }
logs=("${services[@]/#/"$ORDERFLOW_DIR/logs/"}")
logs=("${logs[@]/%/.log}")
# `env` quotes what a shell would read otherwise.
address() { "$orderflow" env | sed -n "s/^$1='\{0,1\}\([^']*\)'\{0,1\}$/\1/p"; }
gateway=$(address GATEWAY_URL) mail=$(address MAIL_URL)

# One curl for all orders, so that the client takes little of the machine.
requests() {
    local i
    for ((i = 0; i < orders; i++)); do
        # The last one has nothing after it.
        ((i == 0)) || echo next
        cat <<END
url = "$gateway/orders"
header = "content-type: application/json"
data = "{\"customer_id\":\"bench\",\"items\":[{\"item_id\":\"ITEM-001\",\"quantity\":1,\"price\":100}]}"
output = "$ORDERFLOW_DIR/answer"
write-out = "%{http_code} %{time_total}\n"
END
    done
}

# Runs that follow each other must not work on each other's orders: the last thing that becomes of one is its mail.
until_quiet() {
    local order deadline=$((SECONDS + 300))
    curl --silent --request DELETE "$mail/email/all" >"$ORDERFLOW_DIR/answer"
    order=$(curl --fail --silent --show-error --header 'content-type: application/json' \
        --data '{"customer_id":"bench","items":[{"item_id":"ITEM-001","quantity":1,"price":100}]}' "$gateway/orders" |
        sed 's/.*"order_id":"\([^"]*\)".*/\1/')
    until [[ $(curl --silent "$mail/email") == *"$order"* ]]; do
        ((SECONDS < deadline)) || { echo "error: order $order has no mail after 300 s" >&2; exit 1; }
        sleep 0.2
    done
}

# A service says that all is well once something was delivered twice in a row, so each has to have something.
until_backend_is_well() {
    local deadline=$((SECONDS + 120))
    while (($(said 'it takes everything again') < $(said 'it takes nothing'))); do
        ((SECONDS < deadline)) || { echo "error: not every service has found the backend again after 120 s" >&2; exit 1; }
        until_quiet
    done
}

# What the lines about bursts say was lost, and what the lines at the end say, added up.
lost() { echo $(($(added_up 'it takes everything again') + $(added_up 'so many were lost'))); }
lost_in_all() { added_up 'so much was lost since the start'; }
added_up() {
    cat "${logs[@]}" | awk -v line="$1" '
        index($0, "\"backend\":\"trace backend\"") && index($0, line) && match($0, /"lost":[0-9]+/) {
            sum += substr($0, RSTART + 7, RLENGTH - 7)
        }
        END { print sum + 0 }'
}
# Lines about the trace backend with these words.
said() { cat "${logs[@]}" | grep '"backend":"trace backend"' | grep -c "$1" || true; }
# Lines about exporting, whoever writes them.
lines() { cat "${logs[@]}" | grep -c '"target":"\(telemetry::losses\|opentelemetry\)' || true; }

memory() { # in MB: of all services now, and of the largest one
    local name pid kb of_all=0 most=0
    for name in "${services[@]}"; do
        pid=$("$orderflow" status --json | grep -A 2 "\"name\": \"$name\"" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
        kb=$(ps -o rss= -p "$pid")
        of_all=$((of_all + kb))
        ((kb <= most)) || most=$kb
    done
    echo "$((of_all / 1024)) $((most / 1024))"
}

percentiles() { sort -n | awk '{ t[NR] = $1 } END { printf "%.1f %.1f\n", t[int((NR + 1) / 2)] * 1000, t[int((NR * 99 + 99) / 100)] * 1000 }'; }

run() { # there or away
    local begun=$SECONDS from took times refused lost_before lines_before used p50 p99
    lost_before=$(lost) lines_before=$(lines)
    [[ $1 == there ]] || "$orderflow" stop traces >/dev/null
    from=$SECONDS
    times=$(requests | curl --silent --parallel --parallel-max "$at_once" --config - 2>/dev/null) || true
    took=$((SECONDS - from))
    until_quiet
    used=$(memory)
    if [[ $1 == away ]]; then
        ((SECONDS - begun >= away)) || sleep $((away - (SECONDS - begun)))
        "$orderflow" start traces >/dev/null
        until_backend_is_well
    fi
    refused=$(grep -cv '^201 ' <<<"$times" || true)
    read -r p50 p99 <<<"$(sed -n 's/^201 //p' <<<"$times" | percentiles)"
    if [[ $1 == there ]]; then p50_there=$p50; else p50_away=$p50; fi
    printf '%-7s %8s %8s %7s %8s %9s %8s %7s %6s\n' "$1" "$p50" "$p99" "$took" "$refused" \
        "${used% *}" "${used#* }" $(($(lost) - lost_before)) $(($(lines) - lines_before))
}

printf '%-7s %8s %8s %7s %8s %9s %8s %7s %6s\n' backend 'p50 ms' 'p99 ms' seconds refused 'memory MB' largest lost lines
# The first orders open connections and fill caches.
orders=200 run there >/dev/null
ratios=()
for ((pair = 0; pair < pairs; pair++)); do
    if ((pair % 2 == 0)); then run there && run away; else run away && run there; fi
    ratios+=("$(awk -v away="$p50_away" -v there="$p50_there" 'BEGIN { printf "%.3f", away / there }')")
done
median=$(printf '%s\n' "${ratios[@]}" | sort -n | awk '{ r[NR] = $1 } END { print r[int((NR + 1) / 2)] }')
echo "p50 away / there: ${ratios[*]}; median $median"
told=$(lost)
down
echo "lost spans: $told in the lines about bursts, $(lost_in_all) in the lines at the end"
