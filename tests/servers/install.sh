#!/usr/bin/env bash
# Puts the FTP servers of tests/servers.rs below one folder:   tests/servers/install.sh FOLDER
#
# Debian's FTP server packages conflict with each other, so they are unpacked side by side and never installed. Only
# small libraries and tools that they need are installed (root, Debian 12). Nothing is started.
#
#   FOLDER/vsftpd, proftpd-core, proftpd-mod-crypto, pure-ftpd   the packages, unpacked
#   FOLDER/proftpd-modules                                       links to ProFTPD's modules, which lie in two packages
#   FOLDER/venv                                                  Python with pyftpdlib and pyOpenSSL
#   FOLDER/openssl-1.0.2                                         libraries of a wheel that still carries OpenSSL 1.0.2
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
why_root="the servers change their user, and small libraries are installed"
. "$here/../common/install.sh"

apt-get install -y -qq --no-install-recommends \
  openssl python3-minimal python3-venv libwrap0 libhiredis0.14 libmemcached11 libmemcachedutil2 libpcre2-posix3 libsodium23 \
  libpam0g libcap2 libacl1 libldap-2.5-0 libcrypt1 zlib1g iproute2 >/dev/null

servers="vsftpd proftpd-core proftpd-mod-crypto pure-ftpd pure-ftpd-common"
packages=$folder/packages
rm -rf "$packages" && mkdir -p "$packages"
chmod 755 "$folder" "$packages"
# The sandbox user of apt-get may not be able to write here; root downloads.
(cd "$packages" && apt-get download -qq -o APT::Sandbox::User=root $servers)
for name in $servers; do
  rm -rf "${folder:?}/$name"
  dpkg -x "$packages/${name}"_*.deb "$folder/$name"
done
rm -rf "$packages" "$folder/proftpd-modules" && mkdir "$folder/proftpd-modules"
ln -s "$folder"/proftpd-core/usr/lib/proftpd/*.so "$folder"/proftpd-mod-crypto/usr/lib/proftpd/*.so "$folder/proftpd-modules/"

/usr/bin/python3 -m venv --clear "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pyftpdlib==2.2.0 pyOpenSSL==26.4.0

# Servers of many years run OpenSSL 1.0.2 and older, which answer some hellos without an alert. No current package has it;
# this wheel of 2018 does. Only its libraries are used, by old_openssl.py.
old=$folder/openssl-1.0.2
rm -rf "$old" "$old.wheel" && mkdir -p "$old.wheel"
"$folder/venv/bin/pip" download -q --disable-pip-version-check psycopg2-binary==2.7.5 --no-deps --only-binary=:all: -d "$old.wheel" \
  --python-version 36 --implementation cp --abi cp36m --platform manylinux1_x86_64
"$folder/venv/bin/python" -m zipfile -e "$old.wheel"/psycopg2_binary-2.7.5*.whl "$old.wheel/unpacked"
mv "$old.wheel/unpacked/psycopg2/.libs" "$old" && rm -rf "$old.wheel"

for program in vsftpd/usr/sbin/vsftpd proftpd-core/usr/sbin/proftpd pure-ftpd/usr/sbin/pure-ftpd; do
  missing=$(ldd "$folder/$program" | grep 'not found' || true)
  [ -z "$missing" ] || fail "$program needs $missing"
done
done_here
