#!/usr/bin/env bash
# Whole process on the mail of fixtures/: wall time and peak memory, median and worst of RUNS runs (default 51).
# Needs GNU time (Debian package `time`). Prints figures and judges nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-51}
input=${1:-fixtures/mail/ibm-main-msg108526.txt}
cargo build --release --quiet
binary=${CARGO_TARGET_DIR:-target}/release/ftpsdiag
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
for _ in $(seq "$runs"); do
  start=$(date +%s%N)
  /usr/bin/time -f %M -o "$figures.rss" "$binary" "$input" >/dev/null || true
  end=$(date +%s%N)
  echo "$(((end - start) / 1000)) $(tail -n 1 "$figures.rss")" >>"$figures"
done
rm -f "$figures.rss"
median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }
worst() { sort -n | tail -n 1; }
echo "runs              $runs of: ftpsdiag $input"
echo "wall time         median $(cut -d' ' -f1 "$figures" | median) us, worst $(cut -d' ' -f1 "$figures" | worst) us (starting GNU time included)"
echo "peak memory       median $(cut -d' ' -f2 "$figures" | median) kB, worst $(cut -d' ' -f2 "$figures" | worst) kB"
echo "size of binary    $(stat -c %s "$binary") bytes"
