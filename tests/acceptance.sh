#!/usr/bin/env bash
# What a new user does, on a data folder of its own: start the suite, take a visit through it, the same by hand as the
# README tells, book from a foreign client, stop, start again with the data kept, stop.
set -euo pipefail
cd "$(dirname "$0")/.."
meridian=${CARGO_TARGET_DIR:-target}/debug/meridian
data=$(mktemp -d)
# Where no Postgres and Redis are installed, those that were fetched for the tests will do.
mkdir -p .tools && ln -s "$PWD/.tools" "$data/tools"
# Ports of their own, beside a suite that may run here.
base=${ACCEPTANCE_PORT:-18050}
settings=(--data-dir "$data" --set "demo.members=40"
  --set "http.addr=127.0.0.1:$base" --set "admin.addr=127.0.0.1:$((base + 6))" --set "sandbox.addr=127.0.0.1:$((base + 7))")
for service in booking membership payment marketing analytics; do
  base=$((base + 1))
  settings+=(--set "$service.grpc_addr=127.0.0.1:$base")
  export "CONFORMANCE_${service^^}=127.0.0.1:$base"
done
http=http://127.0.0.1:$((base - 5))
export CONFORMANCE_HTTP=$http MERIDIAN_DEMO_STAFF_USER=administrator MERIDIAN_DEMO_STAFF_PASSWORD=meridian-demo

cleanup() {
  "$meridian" "${settings[@]}" down >/dev/null 2>&1 || true
  "$meridian" "${settings[@]}" reset --yes >/dev/null 2>&1 || true
  rm -rf "$data"
}
trap cleanup EXIT

start() {
  "$meridian" "${settings[@]}" up >"$data/up.log" 2>&1 &
  local up=$!
  for _ in $(seq 1 1200); do
    if grep -q '^Meridian is up' "$data/up.log"; then return; fi
    if ! kill -0 $up 2>/dev/null; then break; fi
    sleep 0.25
  done
  cat "$data/up.log" >&2
  echo "acceptance: the suite did not come up" >&2
  exit 1
}

# The shell commands of the README, with the address of this suite.
by_hand() {
  sed -n '/^```sh$/,/^```$/p' README.md | sed "/^\`\`\`/d; s|http://127.0.0.1:8080|$http|" >"$data/by_hand.sh"
  if timeout 120 bash -euo pipefail "$data/by_hand.sh" >"$data/by_hand.log" 2>&1; then return; fi
  cat "$data/by_hand.log" >&2
  echo "acceptance: the README's visit by hand fails" >&2
  exit 1
}

start
sed -n '/^Seeded/p' "$data/up.log"
by_hand
"$meridian" "${settings[@]}" demo
make --no-print-directory -f tests/conformance/conformance.mk conformance
"$meridian" "${settings[@]}" down
start
"$meridian" "${settings[@]}" demo | tail -n 1
"$meridian" "${settings[@]}" down
echo "acceptance: passed"
