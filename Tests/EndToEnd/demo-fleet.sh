# The fleet part of the demo, sourced by demo.sh: a plane, three hosts in two waves, and three releases of a small
# server, signed here and published once each. The first two converge wave by wave; the third's server crashes, so the
# first wave's host goes back by itself, the release is put in quarantine, and the second wave never sees it.

hosts=(alpha beta gamma)

# make_release N: an archive whose hook restarts the service, and the server itself. The third one ends at once.
make_release() {
    local n="$1" tree="$home/releases/app-$1"
    mkdir -p "$tree"
    if ((n == 3)); then printf '#!/bin/sh\necho "release 3 cannot start" >&2\nexit 3\n' >"$tree/serve"
    else printf '#!/bin/sh\necho "release %s serves"\nexec sleep 1000000\n' "$n" >"$tree/serve"; fi
    cat >"$tree/activate" <<'HOOK'
#!/bin/sh
# Run once after the link went over: the service comes up again from the new tree.
echo "$AGENT_ACTION $AGENT_RELEASE"
exec $AGENT_COMMAND restart app --socket "$AGENT_SOCKET"
HOOK
    chmod 755 "$tree/activate" "$tree/serve"
    tar -C "$tree" -czf "$home/releases/app-$n.tar.gz" .
    cat >"$home/releases/app-$n.yaml" <<YAML
channel: app
version: $n
hosts: { alpha: 0, beta: 1, gamma: 1 }
waves: [{ soak: 3s }, { soak: 2s }]
policy: { soak: 3s, failureThreshold: 3s, onFailure: rollback-and-halt }
probes:
  server: { process: app, interval: 1s }
YAML
    "$agent" sign release "$home/releases/app-$n.tar.gz" --key "$home/trust/release.pem"
    "$agent" sign manifest "$home/releases/app-$n.yaml" --release "$home/releases/app-$n.tar.gz" \
        --key "$home/trust/manifest.pem"
}

on() { local host="$1"; shift; "$agent" "$@" --socket "$home/$host/run/agent.sock"; }

# wait_for TEXT FILE PID: until the file says it, or whoever writes it has ended.
wait_for() {
    for ((i = 0; i < 400; i++)); do
        grep -q "$1" "$2" && return 0
        kill -0 "$3" 2>/dev/null || break
        sleep 0.05
    done
    cat "$2"; return 1
}

start_plane() {
    "$agent" plane init --state-dir "$home/plane" --name localhost --name 127.0.0.1
    cp "$home/trust/trust.json" "$home/trust/trust.json.sig" "$home/plane/"
    "$agent" plane run --state-dir "$home/plane" --listen 127.0.0.1:0 --log human >"$home/plane.log" 2>&1 &
    plane_pid=$!
    wait_for ready "$home/plane.log" "$plane_pid" || return 1
    AGENT_PLANE=$(grep -o 'https://[0-9.:]*' "$home/plane.log" | head -n 1)
    export AGENT_PLANE AGENT_IDENTITY="$home/plane/operator.pem"
    echo "the plane answers on $AGENT_PLANE"
}

# start_host NAME: its configuration was written to $home/NAME/agent.yaml.
start_host() {
    local host="$1"
    "$agent" run --config "$home/$host/agent.yaml" --state-dir "$home/$host/state" --runtime-dir "$home/$host/run" \
        --stop-all --log human >"$home/$host/log" 2>&1 &
    agent_pids[$host]=$!
    wait_for ready "$home/$host/log" "${agent_pids[$host]}" || return 1
    "$agent" fleet token "$host" 2>/dev/null | "$agent" enroll --plane "$AGENT_PLANE" --token-file - \
        --config "$home/$host/agent.yaml" --state-dir "$home/$host/state" --runtime-dir "$home/$host/run"
}

publish() { "$agent" fleet publish "$home/releases/app-$1.json" --release "$home/releases/app-$1.tar.gz"; }

serves() { # serves HOST TEXT: what the newest server there has said
    for ((i = 0; i < 50; i++)); do
        on "$1" logs app --tail 1 2>/dev/null | grep -q "$2" && return 0
        sleep 0.1
    done
    return 1
}

has_version() { on "$1" rollout status -o json | grep -q "\"version\":$2,"; }

show_fleet() {
    local n host code
    for n in 1 2; do
        say "release $n, good: first alpha, then beta and gamma"
        code=0; publish "$n" || code=$?
        check "release $n converged on the whole fleet: exit code $code" test "$code" = 0
        for host in "${hosts[@]}"; do check "release $n serves on $host" serves "$host" "release $n serves"; done
    done
    say "release 3, bad: its server ends at once"
    code=0; publish 3 || code=$?
    check "release 3 did not converge: exit code $code" test "$code" = 1
    check "alpha says that it was rolled back" bash -c "'$agent' rollout status app --socket '$home/alpha/run/agent.sock' | grep -q reverted"
    check "release 2 serves on alpha again" serves alpha "release 2 serves"
    check "the release is in quarantine" bash -c "'$agent' fleet rollouts | grep -q quarantine"
    for host in beta gamma; do
        check "release 3 never reached $host" bash -c "! '$agent' rollout status -o json --socket '$home/$host/run/agent.sock' | grep -q '\"version\":3,'"
        check "$host runs release 2" serves "$host" "release 2 serves"
    done
    "$agent" fleet rollouts
    "$agent" fleet hosts
    say "why beta has not got it"
    "$agent" fleet explain beta
    say "why alpha went back"
    on alpha rollout explain app | tail -n 6
}
