#!/usr/bin/env bash
# Many short sessions that fail: the recorded hellos of fixtures/hellos, each refused in one of six ways, as saved evidence, decoded
# again. Prints the processor time of one session, everything in it, median of RUNS runs (default 7) over COUNT sessions (default
# 3000), and judges nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-7} count=${COUNT:-3000}
[ -n "${BINARY:-}" ] || cargo build --release --quiet
binary=${BINARY:-${CARGO_TARGET_DIR:-target}/release/ftpsdiag}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
alert() { printf -- '- S 150301000202%s\n- S closes\n' "$1"; }
n=0
for hello in fixtures/hellos/*.dialogue; do
  {
    cat "$hello"
    case $((n % 6)) in
      0) printf -- '- S "550 TLS handshake failed\\r\\n"\n- S closes\n' ;;
      1) alert 28 ;;
      2) alert 46 ;;
      3) printf -- '- S closes\n' ;;
      4) printf -- '- S resets\n' ;;
      5) printf -- '- S silent 5000\n' ;;
    esac
  } >"$folder/one.dialogue"
  n=$((n + 1))
  # Of the report only the evidence, which is what is read again.
  "$binary" decode --format json "$folder/one.dialogue" | sed 's/^{"schema":1,.*"transcript":/{"schema":1,"transcript":/' >>"$folder/kinds" || true
done
while [ "$(wc -l <"$folder/kinds")" -lt "$count" ]; do
  cat "$folder/kinds" "$folder/kinds" >"$folder/more" && mv "$folder/more" "$folder/kinds"
done
head -n "$count" "$folder/kinds" >"$folder/sessions.json"
per_session() {
  local TIMEFORMAT='%3U %3S'
  for _ in $(seq "$runs"); do
    { time "$binary" decode "$@" "$folder/sessions.json" >/dev/null 2>&1 || true; } 2>&1
  done | awk -v count="$count" '{ printf "%.1f\n", ($1 + $2) * 1e6 / count }' | sort -n | sed -n "$(((runs + 1) / 2))p"
}
echo "runs              $runs of $count sessions, $n kinds, $(stat -c %s "$folder/sessions.json") bytes"
echo "a table           $(per_session -q) us a session"
echo "rows and a table  $(per_session -v) us a session"
echo "JSON              $(per_session --format json) us a session"
