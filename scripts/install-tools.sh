#!/usr/bin/env bash
# Installs what `make check` needs and this machine lacks; says nothing when there is nothing to do.
set -euo pipefail

if ! command -v cargo-deny >/dev/null; then
    echo "installing cargo-deny, which takes some minutes, once" >&2
    cargo install cargo-deny --locked
fi

if command -v shellcheck >/dev/null; then
    exit 0
elif command -v apt-get >/dev/null && [[ $EUID == 0 ]]; then
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes shellcheck
else
    echo "shellcheck is missing: https://github.com/koalaman/shellcheck#installing" >&2
    exit 1
fi
