#!/usr/bin/env bash
# The containers of docker-compose.yml: scripts/containers.sh up | infra | logs [SERVICE] | down
set -euo pipefail
cd "$(dirname "$0")/.."

# The first version whose `up --wait` is content with a job that has ended well.
readonly OLDEST_COMPOSE=2.20.0

fail() {
    echo "error: $*" >&2
    exit 1
}

compose() {
    docker compose --profile services "$@"
}

# What the shell says to docker about other projects, or to the services, and what comes of it: one line.
leave_shell() {
    local name passed_on='' ignored=''
    [[ ${OTEL_RESOURCE_ATTRIBUTES:-} != *service.name=* ]] || ignore OTEL_RESOURCE_ATTRIBUTES
    for name in AWS_SESSION_TOKEN DOCKER_API_VERSION DOCKER_BUILDKIT DOCKER_CONTENT_TRUST DOCKER_DEFAULT_PLATFORM \
        "${!BUILDKIT_@}" "${!BUILDX_@}" "${!COMPOSE_@}"; do
        ignore "$name"
    done
    for name in DOCKER_CONTEXT DOCKER_HOST $(sed -n 's/^ *\([A-Z_]*\):$/\1/p' docker-compose.yml | sort -u); do
        [[ -z ${!name:-} ]] || passed_on+=" $name"
    done
    [[ -z $passed_on$ignored ]] ||
        echo "of this shell, the containers get:${passed_on:- nothing}; ignored:${ignored:- nothing}" >&2
}

ignore() {
    [[ -z ${!1:-} ]] || ignored+=" $1"
    unset "$1"
}

# An engine on another machine may not answer at all, and macOS has no `timeout`.
engine_answers() {
    local asking waiting answers=0
    docker info >/dev/null 2>&1 &
    asking=$!
    (sleep 10 && kill "$asking") >/dev/null 2>&1 &
    waiting=$!
    wait "$asking" || answers=1
    kill "$waiting" 2>/dev/null || true
    return $answers
}

check_docker() {
    leave_shell
    command -v docker >/dev/null ||
        fail "docker is missing: install Docker Engine or Docker Desktop (https://docs.docker.com/get-docker/), or run 'make up', which needs none"
    engine_answers ||
        fail "no Docker engine answers${DOCKER_HOST:+ at DOCKER_HOST=$DOCKER_HOST}${DOCKER_CONTEXT:+ (DOCKER_CONTEXT=$DOCKER_CONTEXT)}: start it (Docker Desktop, or: sudo systemctl start docker), or run 'make up', which needs none"
    local version
    version=$(docker compose version --short 2>/dev/null) ||
        fail "docker has no compose plugin: install version $OLDEST_COMPOSE or newer (https://docs.docker.com/compose/install/)"
    [[ $(printf '%s\n' "$OLDEST_COMPOSE" "${version#v}" | sort --version-sort | head -n 1) == "$OLDEST_COMPOSE" ]] ||
        fail "docker compose $version is too old: install version $OLDEST_COMPOSE or newer (https://docs.docker.com/compose/install/)"
}

# Each port as NAME=NUMBER, by the rule of compose: the environment wins over .env, and .env over the default.
ports() {
    local name default
    while IFS=: read -r name default; do
        echo "$name=${!name:-$(in_env_file "$name" || echo "$default")}"
    done < <(grep -o '[A-Z_]*_PORT:-[0-9]*' docker-compose.yml | tr -d - | sort -u)
}

# The ports of what starts without a profile.
ports_of_servers() {
    local services
    services=$(comm -23 <(compose config --services | sort) <(docker compose config --services | sort))
    ports | grep --invert-match --ignore-case --line-regexp --extended-regexp "(${services//$'\n'/|})_PORT=.*"
}

in_env_file() {
    [[ -f .env ]] && (
        unset "$1"
        # shellcheck source=/dev/null
        . ./.env
        [[ -n ${!1:-} ]] && echo "${!1}"
    )
}

port() {
    ports | sed -n "s/^$1=//p"
}

# Whether the given ports can be had. Compose alone would say it in the middle of a start, and without the setting's name.
check_ports() {
    local ports=$1 name number ours taken=0
    number=$(cut -d = -f 2 <<<"$ports" | sort | uniq -d | head -n 1)
    [[ -z $number ]] || fail "port $number is given twice: $(sed -n "s/=$number$//p" <<<"$ports" | paste -s -d ' ' -)"
    ours=$(compose ps --format json)
    while IFS='=' read -r name number; do
        [[ $number =~ ^[0-9]+$ ]] || fail "$name is set to '$number', which is no port"
        [[ $ours == *"\"PublishedPort\":$number,"* ]] && continue
        (exec 3<>"/dev/tcp/127.0.0.1/$number") 2>/dev/null || continue
        echo "error: port $number is taken: set $name to another, or stop what is using it" >&2
        taken=1
    done <<<"$ports"
    return $taken
}

print_addresses() {
    cat <<EOF

gateway  http://127.0.0.1:$(port GATEWAY_PORT)
Jaeger   http://127.0.0.1:$(port TRACES_PORT)
mail     http://127.0.0.1:$(port MAIL_PORT)
EOF
}

# What a service needs that runs on this machine against the servers in containers: infra/services.env with our ports.
print_settings() {
    local name number text
    text=$(<infra/services.env)
    while IFS='=' read -r name number; do
        text=${text//"\${$name}"/$number}
    done < <(ports)
    printf '\n%s\n' "$text"
}

up() {
    check_docker
    check_ports "$(ports)"
    compose up --detach --build --wait
    print_addresses
}

# The job runs apart from the rest: `--wait` would call its end a failure, since no service here waits for it.
infra() {
    check_docker
    check_ports "$(ports_of_servers)"
    docker compose up --detach --build --wait --scale kafka-topics=0
    docker compose run --rm kafka-topics
    print_settings
}

down() {
    check_docker
    local volumes=(--volumes)
    [[ ${KEEP_DATA:-} == 1 ]] && volumes=()
    docker compose --profile '*' down --remove-orphans ${volumes[@]+"${volumes[@]}"}
}

logs() {
    check_docker
    exec docker compose --profile '*' logs --follow "$@"
}

case ${1:-} in
up | infra | logs | down) "$@" ;;
*) fail "usage: $0 up | infra | logs [SERVICE] | down" ;;
esac
