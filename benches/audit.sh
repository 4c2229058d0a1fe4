#!/usr/bin/env bash
# An audit of a real server behind a line with a round trip of ROUND_TRIP ms (default 40), beside what other scanners take for the same:
# RUNS runs (default 5) of each, in turn. Prints medians, connections and ratios and judges nothing.
#
#   --only     ftpsdiag audit --only versions,suites
#   audit      ftpsdiag audit, the whole of it
#   nmap       -sV --script ssl-enum-ciphers
#   sslscan    --starttls-ftp
#   testssl    -p -E (once)
#
# Needs what tests/servers/install.sh and tests/scanners/install.sh install (root, Debian 12). BINARY=... takes another ftpsdiag.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-5}
. benches/vsftpd.sh
scanners=$(realpath -m "${FTPSDIAG_SCANNERS:-$target/tmp/scanners}")
bash tests/scanners/install.sh "$scanners"
port=$(free_port)
round_trip=${ROUND_TRIP:-40}
begin "$port" python3 benches/delay.py "$port" "$vsftpd" "$(awk "BEGIN { print $round_trip / 2 }")" "$folder/count"

# Milliseconds and connections of the command that follows.
cost() {
  local before start end
  before=$(cat "$folder/count")
  start=$(date +%s%N)
  "$@" >/dev/null 2>&1 </dev/null || true
  end=$(date +%s%N)
  echo "$(((end - start) / 1000000)) $(($(cat "$folder/count") - before))"
}
at=127.0.0.1:$port
for _ in $(seq "$runs"); do
  cost "$BINARY" audit -q --only versions,suites "$at" >>"$folder/only"
  cost "$BINARY" audit -q "$at" >>"$folder/audit"
  cost "$scanners/run" nmap -Pn -n -p "$port" -sV --script ssl-enum-ciphers 127.0.0.1 >>"$folder/nmap"
  cost "$scanners/run" sslscan --starttls-ftp --no-colour "$at" >>"$folder/sslscan"
done
cost "$scanners/run" testssl --warnings off --color 0 --starttls ftp -p -E "$at" >"$folder/testssl"
median() { sort -n "$folder/$1" | sed -n "$((($(wc -l <"$folder/$1") + 1) / 2))p"; }
echo "round trip        $round_trip ms, medians of $runs runs"
for name in only audit nmap sslscan testssl; do
  read -r ms connections <<<"$(median "$name")"
  printf '%-17s %6d ms  %4d connections\n' "$name" "$ms" "$connections"
done
ratio() { awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN { split(a, x, " "); split(b, y, " "); printf "%.2f", x[1] / y[1] }'; }
echo "only / nmap       $(ratio only nmap)"
echo "audit / nmap      $(ratio audit nmap)"
