#!/usr/bin/env bash
# One probe against a real server on loopback, beside what others take for the same: RUNS runs (default 31) of each, in
# turn, so that whatever else the machine does hits all of them. Prints medians and ratios and judges nothing.
#
#   ftpsdiag    probe, to the verdict
#   s_client    openssl s_client -starttls ftp, QUIT, until the server closes
#   curl        --ssl-reqd, login and a listing of the root over a data connection
#   examine     probe with a login: 3 logins, 7 transfers
#   curl x 7    as many logins and transfers: four listings, one without sessions to resume, two with data in clear
#
# Needs what tests/servers/install.sh installs (root, Debian 12) and curl. BINARY=... takes another ftpsdiag.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${RUNS:-31}
command -v curl >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends curl >/dev/null; }
. benches/vsftpd.sh

proftpd=$(free_port)
echo "joe:$(openssl passwd -6 secret):65534:65534::$folder/public:/bin/sh" >"$folder/passwd"
echo "nogroup:x:65534:" >"$folder/group"
chmod 600 "$folder/passwd" "$folder/group"
cat >"$folder/proftpd.conf" <<C
ModulePath $software/proftpd-modules
LoadModule mod_tls.c
ServerName bench
ServerType standalone
DefaultServer on
DefaultAddress 127.0.0.1
SocketBindTight on
Port $proftpd
UseIPv6 off
UseReverseDNS off
WtmpLog off
User nobody
Group nogroup
PidFile $folder/proftpd.pid
ScoreboardFile $folder/proftpd.score
DelayEngine off
AuthOrder mod_auth_file.c
AuthUserFile $folder/passwd
AuthGroupFile $folder/group
RequireValidShell off
SystemLog $folder/proftpd.log
TransferLog none
<IfModule mod_ctrls.c>
  ControlsEngine off
</IfModule>
TLSEngine on
TLSLog $folder/proftpd-tls.log
TLSOptions NoSessionReuseRequired
TLSRSACertificateFile $pem
TLSRSACertificateKeyFile $key
TLSCertificateChainFile $folder/certificates/intermediate.pem
C
begin "$proftpd" "$software/proftpd-core/usr/sbin/proftpd" -n -c "$folder/proftpd.conf"

ftpsdiag() { "$BINARY" probe "127.0.0.1:$1" --ca "$ca" --format json >"$folder/out"; }
s_client() {
  printf 'QUIT\r\n' | timeout 30 openssl s_client -starttls ftp -quiet -verify_return_error -CAfile "$ca" -connect "127.0.0.1:$1" >"$folder/out" 2>&1
  grep -q '^221' "$folder/out"
}
curl_list() {
  curl -sS -m 30 --ssl-reqd -k --user "$2" "ftp://127.0.0.1:$1/" >"$folder/out"
  grep -q hello.txt "$folder/out"
}
examine() {
  FTPSDIAG_PASSWORD=${2#*:} "$BINARY" probe "127.0.0.1:$1" --ca "$ca" --user "${2%%:*}" --format json >"$folder/out"
  [ "$(grep -o '"role":"data"' "$folder/out" | wc -l)" -eq 7 ]
}
curl_many() {
  local url=ftp://127.0.0.1:$1/
  curl -sS -m 30 --ssl-reqd -k --user "$2" "$url" "$url" "$url" "$url" >"$folder/out"
  curl -sS -m 30 --ssl-reqd -k --no-sessionid --user "$2" "$url" >>"$folder/out"
  curl -sS -m 30 --ftp-ssl-control -k --user "$2" "$url" "$url" >>"$folder/out"
  [ "$(grep -c hello.txt "$folder/out")" -eq 7 ]
}
# timed NAME COMMAND...: microseconds, into a file for each name. What fails ends the run: its time would mean nothing.
timed() {
  local name=$1 start end
  shift
  start=$(date +%s%N)
  "$@" || { echo "$name: $* failed: $(cat "$folder/out")" >&2; exit 1; }
  end=$(date +%s%N)
  echo "$(((end - start) / 1000))" >>"$folder/$name.us"
}
median() { sort -n "$folder/$1.us" | sed -n "$(((runs + 1) / 2))p"; }

for _ in $(seq "$runs"); do
  for server in vsftpd proftpd; do
    user=anonymous:x
    [ $server = vsftpd ] || user=joe:secret
    timed $server.ftpsdiag ftpsdiag "${!server}"
    timed $server.s_client s_client "${!server}"
    timed $server.curl curl_list "${!server}" $user
    timed $server.examine examine "${!server}" $user
    timed $server.curl7 curl_many "${!server}" $user
  done
done

echo "medians of $runs runs, loopback, starting each program included"
printf '%-10s %12s %12s %12s %22s %18s\n' server ftpsdiag s_client curl ftpsdiag/s_client ftpsdiag/curl
for server in vsftpd proftpd; do
  ours=$(median $server.ftpsdiag) openssl=$(median $server.s_client) theirs=$(median $server.curl)
  ratio() { awk -v a="$ours" -v b="$1" 'BEGIN { printf "%.2f", a / b }'; }
  printf '%-10s %9s us %9s us %9s us %22s %18s\n' $server "$ours" "$openssl" "$theirs" "$(ratio "$openssl")" "$(ratio "$theirs")"
done
echo
printf '%-10s %12s %12s %22s\n' server examine 'curl x 7' examine/curl
for server in vsftpd proftpd; do
  ours=$(median $server.examine) theirs=$(median $server.curl7)
  ratio=$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.2f", a / b }')
  printf '%-10s %9s us %9s us %22s\n' $server "$ours" "$theirs" "$ratio"
done
