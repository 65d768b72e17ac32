#!/bin/sh
# Installs the real axios, express and requests for the tests that run the integration guide's
# examples: into tests/shops only, from the registries that npm and pip are set up with.
set -eu
cd "$(dirname "$0")/shops"

echo "prepare: npm installs axios and express into tests/shops/node_modules"
npm ci --no-audit --no-fund --loglevel=error

echo "prepare: pip installs requests into tests/shops/python"
rm -rf python
python3 -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
  --target python --requirement requirements.txt
echo "prepare: done"
