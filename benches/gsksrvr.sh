#!/usr/bin/env bash
# A long System SSL trace: THREADS threads (default 50), interleaved record by record, each with one failing handshake after another (the
# trace of fixtures/gsksrvr), MEGABYTES of it (default 100). Prints the wall time of decoding it beside `LC_ALL=C wc -w` on the same
# file, and their ratio, medians of RUNS runs (default 5), the peak of memory and when the first report came. It judges nothing.
# Needs GNU time (Debian package `time`) for the memory.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-5} threads=${THREADS:-50} megabytes=${MEGABYTES:-100}
[ -n "${BINARY:-}" ] || cargo build --release --quiet
binary=${BINARY:-${CARGO_TARGET_DIR:-target}/release/ftpsdiag}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# About 20 MB: one record of each thread in turn, a new second for each round of handshakes; otherwise the lines as they were printed,
# with the blanks behind them.
awk -v threads="$threads" '
  /^S0W1/ { n++; at = index($0, $4); front[n] = substr($0, 1, at - 1); record[n] = substr($0, at + 8) "\n"; next }
  /^  Job/ { at = index($0, $6); middle[n] = record[n] substr($0, 1, at - 1); behind[n] = substr($0, at + 8) "\n"; next }
  n { behind[n] = behind[n] $0 "\n" }
  END {
    for (second = 0; bytes < 20e6; second++) {
      time = sprintf("%02d:%02d:%02d", int(second / 3600) % 24, int(second / 60) % 60, second % 60)
      for (k = 1; k <= n; k++) for (t = 1; t <= threads; t++) {
        text = front[k] time middle[k] sprintf("%08X", t) behind[k]
        bytes += length(text)
        printf "%s", text
      }
    }
  }' fixtures/gsksrvr/ibm-main-trace.txt >"$folder/part"
parts=$(((megabytes * 1000000 + $(stat -c %s "$folder/part") - 1) / $(stat -c %s "$folder/part")))
for _ in $(seq "$parts"); do cat "$folder/part"; done >"$folder/trace.txt"
rm "$folder/part"
median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }
milliseconds() { # of the command that follows
  local start end
  start=$(date +%s%N)
  "$@" >/dev/null 2>&1 || true
  end=$(date +%s%N)
  echo $(((end - start) / 1000000))
}
first_report() { # until the first byte of output
  local start end
  start=$(date +%s%N)
  { "$binary" decode --format json "$folder/trace.txt" 2>/dev/null || true; } | { head -c 1 >/dev/null; end=$(date +%s%N); echo $(((end - start) / 1000000)); cat >/dev/null; }
}
cat "$folder/trace.txt" >/dev/null
echo "runs              $runs of $(stat -c %s "$folder/trace.txt") bytes, $threads threads, $(grep -c 'handshake failed' "$folder/trace.txt") handshakes"
for run in "reading alone:--session 999999999" "a line each:-q" "JSON:--format json"; do
  name=${run%%:*}
  read -ra args <<<"${run#*:}"
  for _ in $(seq "$runs"); do
    # Beside each other, so that both see the same machine.
    echo "$(LC_ALL=C milliseconds wc -w "$folder/trace.txt") $(milliseconds "$binary" decode "${args[@]}" "$folder/trace.txt")"
  done >"$folder/times"
  awk -v n="$name" '{ printf "%.2f %d %d\n", $2 / $1, $1, $2 }' "$folder/times" | median |
    awk -v n="$name" '{ printf "%-17s %s times wc -w (%d ms, wc -w %d ms)\n", n, $1, $3, $2 }'
done
echo "first report      after $(for _ in $(seq "$runs"); do first_report; done | median) ms (JSON)"
/usr/bin/time -f %M -o "$folder/rss" "$binary" decode -q "$folder/trace.txt" >/dev/null 2>&1 || true
echo "peak memory       $(tail -n 1 "$folder/rss") kB (a line each)"
