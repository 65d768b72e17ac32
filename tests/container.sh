#!/bin/sh
# Tests the layout of config/Containerfile without a container engine: a read-only root with
# Debian 12's libraries and no shell, a non-root user, secrets mounted as root's and readable
# for the user's group. The gateway starts there, answers and stops.
#
#   tests/container.sh target/debug/litegate
#
# Needs root, mmdebstrap and curl. Leaves nothing behind.
set -eu

if [ "$(id -u)" != 0 ] || ! unshare --mount true 2>/dev/null; then
  echo "container: ignored, needs root and a mount namespace"
  exit 0
fi
program=$1
user=65532
base=$(mktemp -d)
pid=
finish() {
  if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; fi
  wait 2>/dev/null || true
  rm -rf "$base"
}
trap finish EXIT

fail() { echo "container: $1" >&2; cat "$base/log" >&2 2>/dev/null || true; exit 1; }

root=$base/root
mmdebstrap --quiet --variant=extract --include=libc6,libgcc-s1,libstdc++6,libssl3,ca-certificates \
  bookworm "$root"
rm -rf "${root:?}/bin" "${root:?}/usr/bin" "${root:?}/usr/sbin" "${root:?}/sbin"
mkdir -p "$root/usr/bin" "$root/etc/litegate" "$root/var/lib/litegate" "$root/proc" "$root/dev"
install -m 755 "$program" "$root/usr/bin/litegate"
chmod 755 "$base" "$root"

# As in config/compose.yml.
"$program" init --network regtest --dir "$base/made" >/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed -e "s|$base/made|/etc/litegate|" \
    -e 's|^database = .*|database = "/var/lib/litegate/litegate.db"|' \
    -e 's|^cookie_file = .*|cookie_file = "/etc/litegate/cookie"|' \
    "$base/made/litegate.toml" > "$root/etc/litegate/litegate.toml"
printf '\n[http]\nlisten = "127.0.0.1:%s"\n' "$port" >> "$root/etc/litegate/litegate.toml"
install -m 440 -o 0 -g "$user" "$base/made/secret" "$root/etc/litegate/secret"
install -m 400 -o "$user" "$base/made/seal.key" "$root/etc/litegate/seal.key"
install -m 400 -o "$user" "$base/made/signing.key" "$root/etc/litegate/signing.key"
chown "$user:$user" "$root/var/lib/litegate"
chmod 700 "$root/var/lib/litegate"

# A read-only bind of that root; the volume and the kernel's file systems are mounted into it.
# chroot needs root, so it precedes the change of the user. The program gets no variables.
inside() {
  # shellcheck disable=SC2016 # The inner shell expands it.
  exec unshare --mount sh -euc '
    root=$1 user=$2; shift 2
    mount --bind "$root" "$root"
    mount --bind "$root/var/lib/litegate" "$root/var/lib/litegate"
    mount --bind /proc "$root/proc"
    mount -o remount,ro,bind "$root"
    exec python3 -c "
import os, sys
root, user = sys.argv[1], int(sys.argv[2])
os.chroot(root); os.chdir(\"/\")
os.setgroups([]); os.setgid(user); os.setuid(user)
os.execve(sys.argv[3], sys.argv[3:], {})" "$root" "$user" "$@"' sh "$root" "$user" "$@"
}

(inside /usr/bin/litegate --version) >/dev/null || fail "the program does not run"
(inside /usr/bin/litegate check-config --config /etc/litegate/litegate.toml) || fail "check-config"
for command in --help openapi "completions bash" "bot commands" "config show" "merchant list" \
  "payment list" "webhook list" "audit-log --verify" "chain-guard show" "secret status" \
  "backup /var/lib/litegate/copy.db"; do
  # shellcheck disable=SC2086 # A command and its options.
  (inside /usr/bin/litegate $command --config /etc/litegate/litegate.toml) > "$base/log" 2>&1 ||
    fail "$command"
done
# There is no node: doctor says so and reports everything else.
code=0
(inside /usr/bin/litegate doctor --config /etc/litegate/litegate.toml) > "$base/log" 2>&1 || code=$?
if [ "$code" != 1 ] || ! grep -q '^FAILURE  node' "$base/log"; then fail "doctor: $code"; fi
inside /usr/bin/litegate serve --only api --config /etc/litegate/litegate.toml 2> "$base/log" &
pid=$!
for _ in $(seq 100); do
  if grep -qx ready "$base/log"; then break; fi
  kill -0 "$pid" || fail "it ended"
  sleep 0.2
done
curl -sf --max-time 10 "http://127.0.0.1:$port/" | grep -q 'payment gateway' || fail "no answer"
[ -s "$root/var/lib/litegate/litegate.db" ] || fail "no database on the volume"
kill "$pid"
wait "$pid" || fail "SIGTERM ended it with $?"
pid=
echo "container: the layout works"
