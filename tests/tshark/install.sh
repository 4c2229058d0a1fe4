#!/usr/bin/env bash
# Puts what tests/tshark.rs compares with below one folder:   tests/tshark/install.sh FOLDER
#
# tshark, tcpdump and two more FTP clients (lftp, gnutls-cli), unpacked and never installed: installing them would replace
# libraries that other programs use. curl and openssl are the machine's own (Debian 12, root).
#
#   FOLDER/root        the packages and the libraries they need, unpacked
#   FOLDER/run         runs a program of FOLDER/root:   FOLDER/run tshark -v
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
why_root="the tests capture in a network namespace of their own"
. "$here/../common/install.sh"

apt-get install -y -qq --no-install-recommends curl openssl iproute2 >/dev/null

root=$folder/root packages=$folder/packages
rm -rf "$root" "$packages" && mkdir -p "$root" "$packages/partial"
# Each with all that this machine does not have yet. The sandbox user of apt-get may not be able to write here.
apt-get install -y -qq --download-only --no-install-recommends -o APT::Sandbox::User=root -o Dir::Cache::archives="$packages" \
  tshark tcpdump gnutls-bin lftp >/dev/null
# What is installed already is not downloaded with the others.
(cd "$packages" && apt-get download -qq -o APT::Sandbox::User=root tshark tcpdump gnutls-bin lftp)
for package in "$packages"/*.deb; do dpkg -x "$package" "$root"; done
rm -rf "$packages"

cat >"$folder/run" <<'R'
#!/bin/sh
# Its libraries are for these programs alone.
root=$(dirname "$0")/root
LD_LIBRARY_PATH=$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu
WIRESHARK_DATA_DIR=$root/usr/share/wireshark
# Nobody's preferences.
HOME=$root/home XDG_CONFIG_HOME=$root/home LC_ALL=C.UTF-8
PATH=$root/usr/bin:$root/usr/sbin:$root/sbin:$PATH
export LD_LIBRARY_PATH WIRESHARK_DATA_DIR HOME XDG_CONFIG_HOME LC_ALL PATH
exec "$@"
R
chmod 755 "$folder/run"
for program in tshark tcpdump gnutls-cli lftp; do
  "$folder/run" "$program" --version >/dev/null 2>&1 || fail "$program does not run: $("$folder/run" "$program" --version 2>&1 | head -3)"
done
done_here
