# What benches against a real server share, sourced from the project's folder: the binary, the servers of tests/servers/install.sh, and a
# vsftpd that listens at 127.0.0.1:$vsftpd until the script ends.
#
#   $BINARY                        ftpsdiag, built for it where it was not given
#   $folder                        a folder for the time of the run, with certificates and a file to be listed
#   begin PORT COMMAND...          starts another server, and ends it with the script
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
if [ -z "${BINARY:-}" ]; then
  cargo build --release --quiet
  BINARY=$target/release/ftpsdiag
fi
software=$(realpath -m "${FTPSDIAG_SERVERS:-$target/tmp/servers}")
bash tests/servers/install.sh "$software"

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
