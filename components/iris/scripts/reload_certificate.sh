#!/bin/sh
# Makes IRIS save its TLS configuration of the superserver again, after the files of the
# certificate have changed. IRIS activates a configuration when it is saved and when it starts
# (InterSystems, "Configuring TLS"). It ends with 1 where IRIS refused, or may have.
set -u

here=$(dirname "$0")
tls=${HA_IRIS_TLS:-/etc/ha-iris/tls}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if ! [ -r "$tls/tls.crt" ] || ! [ -r "$tls/tls.key" ]; then
  echo "reload-certificate: $tls has no certificate that can be read; set iris.tls.superserver"
  exit 1
fi
printf '[Actions]\nModifySSLConfig:Name=%%SuperServer,CertificateFile=%s,PrivateKeyFile=%s\n' \
  "$tls/tls.crt" "$tls/tls.key" >"$work/tls.cpf"

# A mark of its own: what the last start refused stays to be seen.
TMPDIR=$work "$here/merge_errors.sh" --mark
if ! iris merge IRIS "$work/tls.cpf"; then
  echo "reload-certificate: iris merge has failed"
  exit 1
fi
TMPDIR=$work "$here/merge_errors.sh" --strict
