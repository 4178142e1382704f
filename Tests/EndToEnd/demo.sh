#!/usr/bin/env bash
# ./dev run [--for 120s]: a real agent in a folder of its own, with a container runtime, services and signed releases, shown live
# until Ctrl-C (or for the given time), and its own journal replayed at the end. Exit code 0 when all of it held.
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
agent_pid=""

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
check() { # check NAME COMMAND...: tells and remembers whether it held
    local name="$1"; shift
    if "$@" >"$home/check.out" 2>&1; then echo "  ok    $name"; else
        echo "  FAIL  $name"; sed 's/^/        /' "$home/check.out" | tail -20; failed=1
    fi
}
client() { "$agent" "$@" --socket "$home/run/agent.sock"; }
engine() { docker -H "unix://$home/run/docker.sock" "$@"; }

. Tests/EndToEnd/demo-releases.sh

finish() {
    trap - EXIT INT TERM
    if [[ -n "$agent_pid" ]] && kill -0 "$agent_pid" 2>/dev/null; then
        say "stopping the agent and everything it started"
        kill -TERM "$agent_pid"; wait "$agent_pid" 2>/dev/null || true
    fi
    say "replaying its journal"
    if "$agent" replay "$home/state/journal"; then :; else failed=1; fi
    if ((failed)); then echo "left for you to look at: $home"; exit 1; fi
    rm -rf "$home"
    exit 0
}

mkdir -p "$home/state" "$home/run" "$home/releases"
port=$(demo_port)
cat >"$home/agent.yaml" <<YAML
host: { name: demo }
rollout: { trust: $home/trust/trust.json }
runtime:
  keep: always
  dataRoot: $home/docker
  socket: $home/run/docker.sock
services:
  clock:
    command: [/bin/sh, -c, "n=0; while :; do n=\$((n+1)); echo tick \$n; sleep 1; done"]
    restart: always
  moody:
    command: [/bin/sh, -c, "echo starting; sleep 7; echo out of luck >&2; exit 3"]
    restart: always
    after: [clock]
  app:
    command: [/bin/sh, -c, "cd '$home/state/releases/channels/app/current/www' && exec busybox httpd -f -p 127.0.0.1:$port"]
    restart: onFailure
YAML

say "keys for releases and for manifests, and three signed releases"
"$agent" trust init "$home/trust"
for n in 1 2 3; do make_release "$n"; done

say "an agent in $home: runtime kept always, a service 'clock', a service 'moody' that crashes now and then"
"$agent" run --config "$home/agent.yaml" --state-dir "$home/state" --runtime-dir "$home/run" \
    --socket "$home/run/agent.sock" --stop-all >"$home/agent.log" 2>&1 &
agent_pid=$!
trap finish EXIT
trap 'exit 130' INT TERM

for ((i = 0; i < 200; i++)); do
    client status >/dev/null 2>&1 && break
    kill -0 "$agent_pid" 2>/dev/null || { cat "$home/agent.log"; failed=1; exit 1; }
    sleep 0.05
done

if [[ -z "$seconds" ]]; then
    trap ':' INT # Ctrl-C ends the view; the end of this script is orderly
    client status --watch || true
    exit 0
fi

started=$SECONDS
check "the runtime is ready: dockerd answers its ping" client runtime ensure --wait
tar -C "$(dirname "$(command -v busybox)")" -c busybox | engine import - demo/busybox:local >/dev/null || failed=1
check "a container runs from a locally imported image" \
    engine run --rm --network none demo/busybox:local /busybox echo "hello from a container"
show_rollouts
left=$((seconds - (SECONDS - started)))
((left > 1)) && client status --watch --for "${left}s"
check "the clock service runs" client logs clock --tail 1
check "the moody service was restarted" bash -c "'$agent' explain process moody --socket '$home/run/agent.sock'"
check "the runtime is still ready" client runtime ensure --no-start
client status
