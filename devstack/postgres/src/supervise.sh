# shellcheck shell=sh
# Runs "$@" until it ends or standard input closes.
# The kernel closes it when the process that started us is gone, however it went:
# that is how no PostgreSQL outlives a command that was killed with SIGKILL.
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
# SIGINT is PostgreSQL's fast shutdown: clients are disconnected, data is safe.
# A shell starts its background processes with SIGINT ignored, and PostgreSQL attends to it a moment after its start:
# what came before is lost, so it is sent until the server has ended.
{
    read -r _ <&3
    while kill -INT "$server" 2>/dev/null; do sleep 1; done
} &
lifeline=$!
wait "$server"
status=$?
kill "$lifeline" 2>/dev/null
if [ -n "$REMOVE_AFTERWARDS" ]; then rm -rf "$REMOVE_AFTERWARDS"; fi
exit "$status"
