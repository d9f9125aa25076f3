#!/bin/bash
# Makes the certificates and keys of the tests of TLS: an authority, one below it, and two servers' certificates. They are for
# tests on one machine only, and valid for 100 years.
set -euo pipefail
cd "$(dirname "$0")"
days=36500
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
sign() { # NAME SUBJECT ISSUER EXTENSIONS
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key" -CAcreateserial -days $days -extfile <(printf '%s' "$4") \
    -out "$1.pem" 2>/dev/null
  rm "$1.csr"
}
key root.key
openssl req -x509 -new -key root.key -subj "/CN=Test root" -days $days -out root.pem \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
key middle.key
sign middle "/CN=Test middle" root $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign'
server=$'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth'
key first.key; sign first "/CN=first" root "$server"
key second.key; sign second "/CN=second" root "$server"
key below.key; sign below "/CN=below" middle "$server"
openssl pkcs8 -topk8 -in first.key -passout pass:sesame -out locked.key
rm -f root.key middle.key *.srl
