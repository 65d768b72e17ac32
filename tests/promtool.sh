#!/bin/sh
# Prints where promtool is: in the path, or taken out of Debian's package of Prometheus, which is not
# installed, because that would start a server.
set -eu
cd "$(dirname "$0")/.."

if command -v promtool; then exit 0; fi
folder=target/installed/prometheus
if [ ! -x "$folder/usr/bin/promtool" ]; then
  mkdir -p "$folder"
  (cd "$folder" && apt-get download --quiet prometheus >/dev/null)
  dpkg-deb --extract "$folder"/prometheus_*.deb "$folder"
fi
echo "$folder/usr/bin/promtool"
