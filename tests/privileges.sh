#!/bin/sh
# Prints the tests that lack a privilege or program, as arguments of the test program (`--skip NAME`), and
# the reasons on standard error.
#
#   cargo test -- --include-ignored $(sh tests/privileges.sh)
set -eu

cd "$(dirname "$0")/.."

# Tests whose `#[ignore = "…"]` begins with these words.
named() {
  awk -v reason="$1" '
    /#\[ignore = "/ { hit = index($0, "#[ignore = \"" reason) }
    hit && /^ *fn / { sub(/^ *fn /, ""); sub(/\(.*/, ""); print; hit = 0 }
  ' tests/it/*.rs
}

leave_out() {
  for name in $(named "$1"); do
    echo "ignored, $1: $name" >&2
    printf -- '--skip %s ' "$name"
  done
}

if ! command -v go >/dev/null; then
  leave_out "needs Go"
fi

map=
if [ "$(id -u)" != 0 ]; then
  map=--map-root-user
  leave_out "needs root"
fi
# shellcheck disable=SC2086 # Empty, or one word.
if ! unshare $map --mount true 2>/dev/null && ! unshare $map --mount --propagation unchanged true 2>/dev/null; then
  leave_out "needs a mount namespace"
fi
# shellcheck disable=SC2086
if ! unshare $map --net true 2>/dev/null; then
  leave_out "needs a network namespace"
fi
