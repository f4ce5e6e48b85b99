#!/usr/bin/env bash
# Checks every shell script of the repository: those that git knows, and new ones that it does not ignore.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts=()
while IFS= read -r -d '' file; do
    # A file is a shell script by its name or by its first line; hooks and .ci/run have no extension.
    if [[ -f $file ]] && { [[ $file == *.sh ]] || head -n 1 "$file" | grep -qaE '^#!.*\b(ba|da)?sh\b'; }; then
        scripts+=("$file")
    fi
done < <(git ls-files -z --cached --others --exclude-standard)

echo "shellcheck: ${#scripts[@]} scripts"
shellcheck --external-sources "${scripts[@]}"
