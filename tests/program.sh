#!/bin/sh
# Checks the program of the package: small, only with libraries of every Debian 12, with its
# list of crates, and without paths of the build machine.
#
#   tests/program.sh target/package/litegate
set -eu

program=$1
most=25000000
allowed='libc.so.6 libgcc_s.so.1 libm.so.6 libssl.so.3 libcrypto.so.3'
list=$(mktemp)
trap 'rm -f "$list"' EXIT

fail() { echo "program: $1" >&2; exit 1; }

bytes=$(wc -c < "$program")
[ "$bytes" -le "$most" ] || fail "$bytes bytes are more than $most"

for needed in $(objdump -p "$program" | awk '$1 == "NEEDED" { print $2 }'); do
  case " $allowed ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 " in
    *" $needed "*) ;;
    *) fail "it needs $needed" ;;
  esac
done

objcopy -O binary --only-section=.dep-v0 --set-section-flags .dep-v0=alloc "$program" "$list"
crates=$(python3 -c '
import json, sys, zlib
crates = json.loads(zlib.decompress(open(sys.argv[1], "rb").read()))["packages"]
names = {crate["name"] for crate in crates}
assert {"litegate", "bitcoin", "zmq-sys"} <= names, names
print(len(crates))' "$list") || fail "the list of its crates is not in it"

for folder in "$PWD" "${CARGO_HOME:-$HOME/.cargo}"; do
  if grep --text --quiet --fixed-strings "$folder/" "$program"; then fail "it names $folder"; fi
done

echo "program: $bytes bytes, $crates crates listed, no library but libc, libm, libgcc_s and OpenSSL"
