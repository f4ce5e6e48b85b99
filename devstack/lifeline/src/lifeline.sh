# shellcheck shell=sh
# Ends process groups: each when it is told to, and all that are left when its input closes.
# The kernel closes it when the process that started us is gone, however it went.
#
#   run GROUP:SIGNAL:SECONDS:LAST   runs; it is asked to end by SIGNAL, and after SECONDS by LAST
#   frozen GROUP:PID…               these processes of the group stand still, and hear nothing until they go on
#   thawed GROUP                    they go on
#   stop GROUP                      it is to end
#   gone GROUP                      it has ended
#   hurry                           nobody waits for anything any more
#
# The folder "$1" is removed at the end, unless that is empty.
trap '' HUP INT TERM
running='' stopping='' frozen='' hurry=''

send() { # SIGNAL GROUP
    kill -s "$1" -- "-$2" 2>/dev/null
}

of() { # GROUP LIST: the words about the group
    for word in $2; do [ "${word%%:*}" != "$1" ] || echo "$word"; done
}

without() { # GROUP LIST: the words about the others
    for word in $2; do [ "${word%%:*}" = "$1" ] || echo "$word"; done
}

go_on() { # GROUP
    for word in $(of "$1" "$frozen"); do kill -s CONT "${word#*:}" 2>/dev/null; done
    send CONT "$1"
}

has_gone() { # GROUP SECONDS
    tenths=$(($2 * 10))
    while send 0 "$1"; do
        [ "$tenths" -gt 0 ] || return 1
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

end() { # GROUP:SIGNAL:SECONDS:LAST
    IFS=:
    # The colons are what it is split at.
    # shellcheck disable=SC2086
    set -- $1
    unset IFS
    if [ -z "$hurry" ]; then
        send "$2" "$1"
        go_on "$1"
        has_gone "$1" "$3" && return
    fi
    send "$4" "$1"
    go_on "$1"
    has_gone "$1" 5 && return
    send KILL "$1"
    has_gone "$1" 5
}

while read -r verb what; do
    group=${what%%:*}
    case $verb in
    run) running="$running $what" ;;
    frozen) frozen="$frozen $what" ;;
    thawed) frozen=$(without "$group" "$frozen") ;;
    stop)
        for word in $(of "$group" "$running"); do
            end "$word" &
            stopping="$stopping $word"
        done
        running=$(without "$group" "$running")
        ;;
    gone)
        # What it started, and did not end.
        send KILL "$group"
        running=$(without "$group" "$running") stopping=$(without "$group" "$stopping")
        frozen=$(without "$group" "$frozen")
        ;;
    hurry)
        hurry=yes
        for word in $stopping; do send "${word##*:}" "${word%%:*}"; done
        ;;
    esac
done
for word in $running; do end "$word" & done
wait
[ -z "$1" ] || rm -rf "$1"
