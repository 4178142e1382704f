#!/usr/bin/env bash
# ./dev run [--for 120s]: a plane and three real agents, each in a folder of its own, with a container runtime, services and
# signed releases that move through the fleet in waves, shown live until Ctrl-C (or for the given time), and every journal
# replayed at the end. Exit code 0 when all of it held.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=""
while (($#)); do
    case "$1" in
        --for) seconds="${2%s}"; shift 2 ;;
        --for=*) seconds="${1#--for=}"; seconds="${seconds%s}"; shift ;;
        *) echo "unknown argument $1; usage: ./dev run [--for 60s]" >&2; exit 2 ;;
    esac
done
if [[ -n "$seconds" && ! "$seconds" =~ ^[0-9]+$ ]]; then
    echo "--for takes whole seconds, such as 60s" >&2
    exit 2
fi

agent="${AGENT_BINARY:-Shell/bin/Release/net10.0/agent}"
home=$(mktemp -d "${TMPDIR:-/tmp}/agent-demo.XXXXXX")
failed=0
plane_pid=""
declare -A agent_pids=()

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
check() { # check NAME COMMAND...: tells and remembers whether it held
    local name="$1"; shift
    if "$@" >"$home/check.out" 2>&1; then echo "  ok    $name"; else
        echo "  FAIL  $name"; sed 's/^/        /' "$home/check.out" | tail -20; failed=1
    fi
}
client() { "$agent" "$@" --socket "$home/alpha/run/agent.sock"; }
engine() { docker -H "unix://$home/alpha/docker.sock" "$@"; }

. Tests/EndToEnd/demo-fleet.sh

finish() {
    trap - EXIT INT TERM
    say "stopping the agents, everything they started, and the plane"
    for pid in "${agent_pids[@]}" $plane_pid; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${agent_pids[@]}" $plane_pid; do wait "$pid" 2>/dev/null || true; done
    say "replaying every journal"
    for journal in "$home"/*/state/journal "$home/plane/journal"; do
        [[ -d "$journal" ]] || continue
        printf '%-28s' "${journal#"$home"/}"
        "$agent" replay "$journal" || failed=1
    done
    if ((failed)); then echo "left for you to look at: $home"; exit 1; fi
    rm -rf "$home"
    exit 0
}
trap finish EXIT
trap 'exit 130' INT TERM

mkdir -p "$home/releases"
for host in "${hosts[@]}"; do
    mkdir -p "$home/$host"
    cat >"$home/$host/agent.yaml" <<YAML
host: { name: $host }
rollout: { trust: $home/trust/trust.json }
runtime:
  keep: $([[ $host == alpha ]] && echo always || echo onDemand)
  dataRoot: $home/$host/docker
  socket: $home/$host/docker.sock
services:
  app:
    command: ["$home/$host/state/releases/channels/app/current/serve"]
    restart: onFailure
YAML
done
cat >>"$home/alpha/agent.yaml" <<'YAML'
  clock:
    command: [/bin/sh, -c, "n=0; while :; do n=$((n+1)); echo tick $n; sleep 1; done"]
    restart: always
  moody:
    command: [/bin/sh, -c, "echo starting; sleep 7; echo out of luck >&2; exit 3"]
    restart: always
    after: [clock]
YAML

say "keys for releases and for manifests, and three signed releases"
"$agent" trust init "$home/trust"
for n in 1 2 3; do make_release "$n"; done

say "a plane, and three hosts enrolled with one-time tokens; alpha keeps a container runtime and two services more"
start_plane || { failed=1; exit 1; }
for host in "${hosts[@]}"; do start_host "$host" || { failed=1; exit 1; }; done
"$agent" fleet hosts

if [[ -z "$seconds" ]]; then
    trap ':' INT # Ctrl-C ends the view; the end of this script is orderly
    for n in 1 2 3; do publish "$n" || true; done
    "$agent" fleet watch || true
    exit 0
fi

started=$SECONDS
check "the runtime is ready: dockerd answers its ping" client runtime ensure --wait
tar -C "$(dirname "$(command -v busybox)")" -c busybox | engine import - demo/busybox:local >/dev/null || failed=1
check "a container runs from a locally imported image" \
    engine run --rm --network none demo/busybox:local /busybox echo "hello from a container"
show_fleet
left=$((seconds - (SECONDS - started)))
((left > 1)) && client status --watch --for "${left}s"
check "the clock service runs" client logs clock --tail 1
check "the moody service was restarted" bash -c "'$agent' explain process moody --socket '$home/alpha/run/agent.sock'"
check "the runtime is still ready" client runtime ensure --no-start
client status
