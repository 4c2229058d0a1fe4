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
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
if [ -z "${BINARY:-}" ]; then
  cargo build --release --quiet
  BINARY=$target/release/ftpsdiag
fi
software=$(realpath -m "${FTPSDIAG_SERVERS:-$target/tmp/servers}")
bash tests/servers/install.sh "$software"
scanners=$(realpath -m "${FTPSDIAG_SCANNERS:-$target/tmp/scanners}")
bash tests/scanners/install.sh "$scanners"

folder=$(mktemp -d)
started=()
finish() {
  for pid in ${started[@]+"${started[@]}"}; do kill -KILL -- "-$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap finish EXIT
chmod 755 "$folder"
mkdir "$folder/certificates" "$folder/empty" "$folder/public"
echo hello >"$folder/public/hello.txt"
bash tests/servers/certificates.sh "$folder/certificates"
pem=$folder/certificates/leaf.pem key=$folder/certificates/leaf.key ca=$folder/certificates/root.pem

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# begin PORT COMMAND...: in a process group of its own, and wait until it accepts connections, 20 seconds at most.
begin() {
  local port=$1
  shift
  setsid "$@" >"$folder/log" 2>&1 &
  started+=($!)
  disown
  for _ in $(seq 400); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
    sleep 0.05
  done
  echo "$1 does not listen: $(cat "$folder/log")" >&2
  exit 1
}

vsftpd=$(free_port)
cat >"$folder/vsftpd.conf" <<C
listen=YES
listen_ipv6=NO
listen_address=127.0.0.1
listen_port=$vsftpd
background=NO
anonymous_enable=YES
local_enable=NO
ftp_username=daemon
anon_root=$folder/public
secure_chroot_dir=$folder/empty
nopriv_user=nobody
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
ssl_enable=YES
allow_anon_ssl=YES
require_ssl_reuse=NO
ssl_ciphers=HIGH
rsa_cert_file=$pem
rsa_private_key_file=$key
C
begin "$vsftpd" "$software/vsftpd/usr/sbin/vsftpd" "$folder/vsftpd.conf"
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
