# The rollout part of the demo, sourced by demo.sh: three releases of a small web server, signed here and applied to
# this host. The first two converge; the third's probe fails and the host goes back to the second by itself.

# The port is free now; the server that takes it retries until it has it.
demo_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# make_release N: an archive whose hook restarts the service, and a server that says its version. The third has no
# page to be healthy with.
make_release() {
    local n="$1" tree="$home/releases/app-$1"
    mkdir -p "$tree/www"
    echo "release $n" >"$tree/www/index.html"
    ((n == 3)) || echo "ok from release $n" >"$tree/www/health"
    cat >"$tree/activate" <<'HOOK'
#!/bin/sh
# Run once after the link went over: the service comes up again from the new tree.
echo "$AGENT_ACTION $AGENT_RELEASE"
exec $AGENT_COMMAND restart app --socket "$AGENT_SOCKET"
HOOK
    chmod 755 "$tree/activate"
    tar -C "$tree" -czf "$home/releases/app-$n.tar.gz" .
    cat >"$home/releases/app-$n.yaml" <<YAML
channel: app
version: $n
hosts: [demo]
policy: { soak: 4s, failureThreshold: 3s, onFailure: rollback-and-halt }
probes:
  health: { http: "http://127.0.0.1:$port/health", contains: ok from release $n, interval: 1s, timeout: 2s }
  server: { process: app, interval: 1s, mode: observe }
YAML
    "$agent" sign release "$home/releases/app-$n.tar.gz" --key "$home/trust/release.pem"
    "$agent" sign manifest "$home/releases/app-$n.yaml" --release "$home/releases/app-$n.tar.gz" \
        --key "$home/trust/manifest.pem"
}

apply() { client rollout apply "$home/releases/app-$1.json" --release "$home/releases/app-$1.tar.gz"; }

serves() { # serves TEXT: what the server says within a few seconds
    for ((i = 0; i < 50; i++)); do
        python3 -c 'import sys, urllib.request as r; sys.stdout.write(r.urlopen(sys.argv[1], timeout=1).read().decode())' \
            "http://127.0.0.1:$port/" 2>/dev/null | grep -q "$1" && return 0
        sleep 0.1
    done
    return 1
}

show_rollouts() {
    say "release 1, good: it becomes the first"
    apply 1 || failed=1
    check "release 1 serves" serves "release 1"
    say "release 2, good: it takes the place of release 1"
    apply 2 || failed=1
    check "release 2 serves" serves "release 2"
    say "release 3, bad: its health page is missing"
    local code=0
    apply 3 || code=$?
    check "release 3 did not converge: exit code $code" test "$code" = 1
    check "it says that it was rolled back" bash -c "'$agent' rollout status app --socket '$home/run/agent.sock' | grep -q reverted"
    check "release 2 serves again" serves "release 2"
    check "release 2 applied again is no news" bash -c "'$agent' rollout apply '$home/releases/app-2.json' --detach --socket '$home/run/agent.sock'"
    client rollout status
    say "why"
    client rollout explain app | tail -n 12
}
