#!/usr/bin/env bash
# How many lines of Rust each package has, without its tests: what a reader has to read.
#
# A file counts up to its first module of tests, which is `#[cfg(test)]` and `mod … {` at the start of two lines.
# Left out: tests.rs, *_tests.rs, testing.rs, fuzzing.rs, and the folders tests, benches and examples.
set -euo pipefail
cd "$(dirname "$0")/.."

# Files that git knows, and new ones that it does not ignore.
git ls-files -z --cached --others --exclude-standard -- 'shared/*.rs' 'services/*.rs' 'devstack/*.rs' |
    while IFS= read -r -d '' file; do
        case $file in
        */tests/* | */benches/* | */examples/*) continue ;;
        */tests.rs | *_tests.rs | */testing.rs | */fuzzing.rs) continue ;;
        esac
        # A file that was deleted, but not committed.
        [[ -f $file ]] || continue
        awk -v file="$file" '
            is_for_tests && /^mod .*\{$/ { lines--; exit }
            { lines++; is_for_tests = /^#\[cfg\(test\)\]$/ }
            END { print file, lines + 0 }' "$file"
    done |
    awk '
        {
            split($1, folder, "/")
            packages[folder[1] "/" folder[2]] += $2
            floors[folder[1]] += $2
        }
        END {
            for (package in packages) printf "%s %d\n", package, packages[package]
            # Sorted behind the packages of its floor.
            for (floor in floors) printf "%s/~ %d\n", floor, floors[floor]
        }' |
    sort |
    awk '{ if (sub("/~", "", $1)) printf "%6d  %s in sum\n\n", $2, $1; else printf "%6d  %s\n", $2, $1 }'
