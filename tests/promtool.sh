#!/bin/sh
# Prints the path of promtool: the one on the path, or from Debian's Prometheus package,
# unpacked and not installed, because installing starts a server.
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
