#!/usr/bin/env bash
# Writes or checks the committed queries (.sqlx) of every service: sqlx's macros describe each query against a database
# with the current migrations and write what they learn into SQLX_OFFLINE_DIR. The database is a private one.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=${1:?write or check}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}
services=(analytics booking marketing membership payment)

admin=$(cargo run --quiet --locked -p testkit -- databases "${services[@]}")
outcome=0
for service in "${services[@]}"; do
  fresh=$(realpath -m "$CARGO_TARGET_DIR/sqlx/$service")
  rm -rf "$fresh" && mkdir -p "$fresh"
  url=$(sed -n "s/^$service //p" <<<"$admin")
  # The macros run when the crate is compiled.
  touch "services/$service/src/lib.rs"
  env SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$fresh" "${service^^}_DATABASE_URL=$url" \
    cargo check --quiet --locked -p "$service"
  # Built from here on as everybody builds it.
  touch "services/$service/src/lib.rs"
  if [ "$mode" = write ]; then
    rm -rf "services/$service/.sqlx" && cp -r "$fresh" "services/$service/.sqlx"
    echo "wrote services/$service/.sqlx: $(ls "$fresh" | wc -l) queries"
  elif ! diff -r "$fresh" "services/$service/.sqlx"; then
    echo "services/$service/.sqlx has drifted: run make sqlx and commit what it writes" >&2
    outcome=1
  else
    echo "services/$service/.sqlx: $(ls "$fresh" | wc -l) queries as committed"
  fi
done
exit $outcome
