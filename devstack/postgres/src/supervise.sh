# shellcheck shell=sh
# Runs "$@" until it ends or standard input closes.
# The kernel closes it when the process that started us is gone, however it went:
# that is how no PostgreSQL outlives a command that was killed with SIGKILL.
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
# SIGINT is PostgreSQL's fast shutdown: clients are disconnected, data is safe.
{ read -r _ <&3; kill -INT "$server"; } &
lifeline=$!
wait "$server"
status=$?
kill "$lifeline" 2>/dev/null
if [ -n "$REMOVE_AFTERWARDS" ]; then rm -rf "$REMOVE_AFTERWARDS"; fi
exit "$status"
