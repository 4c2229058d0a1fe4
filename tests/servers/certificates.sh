#!/usr/bin/env bash
# Makes the certificates of tests/servers.rs in one folder:   tests/servers/certificates.sh FOLDER
#
# NAME.pem is what a server sends: its certificate, then the intermediate. NAME.key is its key. root.pem is what a client
# trusts, other-root.pem what it does not. Leaves are for localhost, 127.0.0.1 and ::1 unless the name says otherwise.
set -euo pipefail
cd "$1"

cat >ca.cnf <<'C'
[ca]
default_ca = any
[any]
database = index.txt
new_certs_dir = issued
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 365
policy = any_name
email_in_dn = no
[any_name]
commonName = supplied
[req]
distinguished_name = name
[name]
[ca_certificate]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server_of_an_intermediate]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth
authorityInfoAccess = caIssuers;URI:http://ca.invalid/intermediate.crt
[other_name]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:other.example
extendedKeyUsage = serverAuth
[client]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
extendedKeyUsage = clientAuth
C
mkdir -p issued
: >index.txt

# Keys are what takes time: one of each kind, shared.
rsa() { openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:"$1" -out "$2" 2>/dev/null ||
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:"$1" -out "$2" 2>/dev/null; }
rsa 2048 root.key & rsa 2048 intermediate.key & rsa 2048 leaf.key & rsa 1024 rsa-1024.key & rsa 2048 other-root.key &
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ecdsa.key &
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.key &
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out client.key &
wait

# self NAME KEY CN EXTENSIONS: signed by its own key.
self() {
  openssl req -x509 -new -config ca.cnf -key "$2" -subj "/CN=$3" -days 365 -extensions "$4" -out "$1.pem"
}
# sign NAME KEY CN ISSUER [OPTION...]: NAME.only.pem, signed by ISSUER.
sign() {
  local name=$1 key=$2 cn=$3 issuer=$4
  shift 4
  openssl req -new -config ca.cnf -key "$key" -subj "/CN=$cn" -out "$name.csr"
  openssl ca -batch -notext -config ca.cnf -cert "$issuer.pem" -keyfile "$issuer.key" -in "$name.csr" \
    -out "$name.only.pem" "$@" 2>openssl.err || { cat openssl.err >&2; exit 1; }
}
# leaf NAME KEY [OPTION...]: signed by the intermediate, which is sent along.
leaf() {
  local name=$1 key=$2
  shift 2
  sign "$name" "$key" localhost intermediate "$@"
  cat "$name.only.pem" intermediate.pem >"$name.pem"
  [ "$key" = "$name.key" ] || ln "$key" "$name.key"
}
at() { date -u -d "$1" +%Y%m%d%H%M%SZ; }

self root root.key "ftpsdiag test root" ca_certificate
self other-root other-root.key "another root" ca_certificate
sign intermediate intermediate.key "ftpsdiag test intermediate" root -extensions ca_certificate
mv intermediate.only.pem intermediate.pem

leaf leaf leaf.key -extensions server
leaf ecdsa ecdsa.key -extensions server
leaf p521 p521.key -extensions server
leaf expired leaf.key -extensions server -startdate "$(at '60 days ago')" -enddate "$(at '30 days ago')"
leaf not-yet-valid leaf.key -extensions server -startdate "$(at '30 days')" -enddate "$(at '60 days')"
leaf wrong-name leaf.key -extensions other_name
leaf client-usage leaf.key -extensions client
leaf rsa-1024 rsa-1024.key -extensions server
leaf sha1 leaf.key -extensions server -md sha1
# Without any extension it is a certificate of version 1.
leaf v1 leaf.key
# Alone it does not show whether its issuer is a root; where the issuer can be fetched says that it is none.
cp leaf.only.pem alone.pem && ln leaf.key alone.key
sign without-intermediate leaf.key localhost intermediate -extensions server_of_an_intermediate
mv without-intermediate.only.pem without-intermediate.pem && ln leaf.key without-intermediate.key
sign untrusted leaf.key localhost other-root -extensions server
cat untrusted.only.pem other-root.pem >untrusted.pem && ln leaf.key untrusted.key

# The commonest of all: `openssl req -x509` as guides print it, which makes a CA of the server.
openssl req -x509 -new -key leaf.key -subj /CN=localhost -days 365 -addext "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1" -out self-signed-ca.pem
self self-signed leaf.key localhost server
ln leaf.key self-signed-ca.key && ln leaf.key self-signed.key

sign client client.key joe root -extensions client && mv client.only.pem client.pem
sign other-client client.key joe other-root -extensions client && mv other-client.only.pem other-client.pem
ln client.key other-client.key

# The same in the other forms in which people have them.
openssl pkcs12 -export -in client.pem -inkey client.key -passout pass:only-a-test -out client.p12
openssl x509 -in client.pem -outform DER -out client.der
openssl pkey -in client.key -outform DER -out client-key.der
openssl x509 -in root.pem -outform DER -out root.der
openssl crl2pkcs7 -nocrl -certfile root.pem -outform DER -out root.p7b

# Pure-FTPd wants key and chain in one file.
for chain in leaf ecdsa; do cat $chain.key $chain.pem >$chain.both.pem; done
chmod 600 ./*.key ./*.both.pem
chmod 644 root.pem
