#!/usr/bin/env bash
# Puts the scanners that tests/scanners.rs and benches/audit.sh compare with below one folder:   tests/scanners/install.sh FOLDER
#
# sslscan, nmap, testssl and gnutls-serv, unpacked and never installed (Debian 12, root).
#
#   FOLDER/root        the packages and the libraries they need, unpacked
#   FOLDER/run         runs a program of FOLDER/root:   FOLDER/run sslscan --version
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
why_root="packages are downloaded by apt-get"
. "$here/../common/install.sh"

apt-get install -y -qq --no-install-recommends openssl bsdextrautils procps >/dev/null

programs="sslscan nmap nmap-common testssl.sh gnutls-bin"
root=$folder/root packages=$folder/packages
rm -rf "$root" "$packages" && mkdir -p "$root" "$packages/partial"
# Each with all that this machine does not have yet. The sandbox user of apt-get may not be able to write here.
apt-get install -y -qq --download-only --no-install-recommends -o APT::Sandbox::User=root -o Dir::Cache::archives="$packages" \
  $programs >/dev/null
# What is installed already is not downloaded with the others.
(cd "$packages" && apt-get download -qq -o APT::Sandbox::User=root $programs)
for package in "$packages"/*.deb; do dpkg -x "$package" "$root"; done
rm -rf "$packages"

cat >"$folder/run" <<'R'
#!/bin/sh
# Its libraries are for these programs alone.
root=$(dirname "$0")/root
LD_LIBRARY_PATH=$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu/blas:$root/usr/lib/x86_64-linux-gnu/lapack
NMAPDIR=$root/usr/share/nmap
TESTSSL_INSTALL_DIR=$root/etc/testssl
HOME=$root/home LC_ALL=C.UTF-8
PATH=$root/usr/bin:$root/usr/sbin:$PATH
export LD_LIBRARY_PATH NMAPDIR TESTSSL_INSTALL_DIR HOME LC_ALL PATH
exec "$@"
R
chmod 755 "$folder/run"
mkdir -p "$root/home"
"$folder/run" sslscan --version >/dev/null 2>&1 || fail "sslscan does not run: $("$folder/run" sslscan --version 2>&1 | head -3)"
"$folder/run" nmap --version >/dev/null 2>&1 || fail "nmap does not run: $("$folder/run" nmap --version 2>&1 | head -3)"
"$folder/run" testssl --version >/dev/null 2>&1 || fail "testssl does not run: $("$folder/run" testssl --version 2>&1 | head -3)"
"$folder/run" gnutls-serv --version >/dev/null 2>&1 || fail "gnutls-serv does not run"
done_here
