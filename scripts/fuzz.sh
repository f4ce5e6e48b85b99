#!/usr/bin/env bash
# Runs each fuzz target for a while, from its kept seeds: scripts/fuzz.sh SECONDS_EACH [TARGET...]
# fuzz/README.md says what it needs.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

seconds=$1
shift
if (($# == 0)); then
    for file in fuzz_targets/*.rs; do
        set -- "$@" "$(basename "$file" .rs)"
    done
fi

for target in "$@"; do
    echo "fuzz: $target, $seconds seconds" >&2
    mkdir -p "corpus/$target"
    cargo fuzz run "$target" "corpus/$target" "seeds/$target" -- -max_total_time="$seconds" -max_len=4096 -timeout=10
done
