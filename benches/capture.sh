#!/usr/bin/env bash
# What captures cost beside tshark: (a) file data, (b) short sessions that fail, and the memory of ten times as much from a pipe. MEGABYTES
# each (default 200). Prints wall times, medians of RUNS runs (default 3; tshark's JSON runs once), their ratios and peaks of memory, and
# judges nothing. Needs python3, GNU time (Debian package `time`) and tshark: TSHARK names it, e.g. "target/tmp/tshark/run tshark".
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-3} megabytes=${MEGABYTES:-200}
read -ra tshark <<<"${TSHARK:-tshark}"
[ -n "${BINARY:-}" ] || cargo build --release --quiet
binary=${BINARY:-${CARGO_TARGET_DIR:-target}/release/ftpsdiag}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Seconds and kB of the command that follows; how it ends does not matter.
cost() { /usr/bin/time -o "$folder/cost" -f '%e %M' "$@" >/dev/null 2>&1 || true; tail -n 1 "$folder/cost"; }
median() { local n=$1; shift; for _ in $(seq "$n"); do cost "$@"; done | sort -n | sed -n "$(((n + 1) / 2))p"; }
ratio() { awk -v a="${1% *}" -v b="${2% *}" 'BEGIN { printf "%.1f", a / b }'; }
show() { printf '%-34s %8s s  %7s kB\n' "$1" ${2}; }
fields=(-Y 'tls.handshake || ftp' -T fields -e frame.number -e tcp.stream -e tls.handshake.type -e ftp.response.code)
for kind in bulk short; do
  python3 benches/capture.py "$kind" "$megabytes" >"$folder/$kind.pcap"
  file=$folder/$kind.pcap
  echo "== $kind: $megabytes MB"
  ours=$(median "$runs" "$binary" decode -q "$file"); show "ftpsdiag, a table" "$ours"
  json=$(median "$runs" "$binary" decode --format json "$file"); show "ftpsdiag, JSON" "$json"
  theirs=$(median "$runs" "${tshark[@]}" -n -r "$file" "${fields[@]}"); show "tshark -T fields" "$theirs"
  all=$(median 1 "${tshark[@]}" -n -r "$file" -T json); show "tshark -T json" "$all"
  echo "tshark -T fields / a table: $(ratio "$theirs" "$ours");  tshark -T json / a table: $(ratio "$all" "$ours"), / JSON: $(ratio "$all" "$json")"
  rm "$file"
done
python3 benches/capture.py bulk "$megabytes" 65000 >"$folder/large.pcap"
echo "== bulk in frames of 65,000 bytes, as a card shows them that splits late: $megabytes MB"
ours=$(median "$runs" "$binary" decode -q "$folder/large.pcap"); show "ftpsdiag, a table" "$ours"
theirs=$(median "$runs" "${tshark[@]}" -n -r "$folder/large.pcap" "${fields[@]}"); show "tshark -T fields" "$theirs"
echo "tshark -T fields / a table: $(ratio "$theirs" "$ours")"
rm "$folder/large.pcap"
for kind in bulk short; do
  echo "== $kind: $((10 * megabytes)) MB from a pipe"
  python3 benches/capture.py "$kind" $((10 * megabytes)) | {
    /usr/bin/time -o "$folder/cost" -f '%e %M' "$binary" decode -q - >/dev/null 2>&1 || true
  }
  show "ftpsdiag, a table" "$(tail -n 1 "$folder/cost")"
done
