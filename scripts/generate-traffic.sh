#!/usr/bin/env bash
# Sends orders and follows each to its end, by the command that `make traffic` runs.
set -euo pipefail

usage() {
    cat <<'EOF'
Usage: scripts/generate-traffic.sh [ORDERS] [RATE]

  ORDERS  how many orders to place [default: 20]
  RATE    how many to place each second; 0 for as many as are taken [default: 5]

Set GATEWAY_URL, JAEGER_URL and MAIL_URL for anything but the default ports of 127.0.0.1.
`make traffic ARGS=--help` lists everything that can be chosen.
EOF
}

case ${1:-} in
-h | --help)
    usage
    exit
    ;;
esac
exec make --no-print-directory --directory "$(dirname "$0")/.." traffic ARGS="--orders ${1:-20} --rate ${2:-5}"
