#!/bin/bash
# Runs the how-to guides on a new Debian 12, booted with systemd: installs the package and
# follows the commands of static/docs/how-to. Pays a payment on regtest, receives the webhook
# and the payout, with the real units in their sandbox. Then a second node's drop-in, a backup,
# a restore, and the loss of the database with a Litestream replica; at last upgrades, removes
# and purges the package.
#
# Not covered: verification of a downloaded litecoind (litecoind/README.md), which needs the
# download.
#
#   tests/installed.sh target/debian/litegate_….deb
#
# Needs root, mmdebstrap and systemd-nspawn, and about 1 GB in a temporary directory. Leaves
# nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."

package=$(realpath "$1")
folder=$(mktemp -d)
root=$folder/root
machine=litegate-$$
# The new system without our package, cached for the next run.
base=target/installed/debian-12.tar
container=
leader=
receiver=

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
fail() { say "FAILED: $*"; exit 1; }

finish() {
  status=$?
  if [ "$status" != 0 ] && [ -n "$leader" ]; then
    inside 'journalctl --no-pager --lines 60 --unit litegate --unit litegate-sweeper --unit litestream' || true
  fi
  [ -z "$receiver" ] || kill "$receiver" 2>/dev/null || true
  if [ -n "$container" ]; then
    kill -TERM "$container" 2>/dev/null || true
    wait "$container" 2>/dev/null || true
  fi
  rm -rf --one-file-system "$folder"
}
trap finish EXIT

# The commands of a how-to guide below a heading, or of the whole page: the lines of code
# blocks whose fence has this word. Blocks within numbered steps are indented.
guide() {
  awk -v heading="${2:+## $2}" -v word="$3" '
    BEGIN { within = (heading == "") }
    heading != "" && /^## / { within = ($0 == heading) }
    within && /^ *```/ {
      fence = $0; sub(/^ */, "", fence)
      open = !open; wanted = (open && fence ~ "^```" word "$"); next
    }
    within && open && wanted { sub(/^ */, ""); print }' "static/docs/how-to/$1"
}

# The guide is for mainnet with a key elsewhere; this run uses regtest with a key here, as the
# guide describes. Nothing else is changed.
rehearsed() {
  sed -e 's/--network main/--network regtest/' -e 's/ --xpub zpub…//' \
    -e 's#https://pay.example.com#http://127.0.0.1:8080#' -e "s/ADDRESS/${address:-}/"
}

# Runs commands in the booted system as root, with a deadline of 90 seconds.
inside() {
  timeout 90 nsenter --target "$leader" --mount --uts --ipc --net --pid --root --wdns=/root \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin LANG=C.UTF-8 sh -euc "$1"
}
# Runs a program of this machine in the booted system's network.
beside() { nsenter --target "$leader" --net "$@"; }
# The same in the background. exec, so that $! is the program.
beside_meanwhile() { (exec nsenter --target "$leader" --net "$@") & }
# As the node's user, because the node could not write files of root.
cli() { inside "setpriv --reuid litecoin --regid litecoin --clear-groups litecoin-cli -conf=/etc/litecoin/litecoin.conf -datadir=/var/lib/litecoind $*"; }

# Waits until a command succeeds, with a limit in seconds.
await() {
  local what=$1 seconds=$2 until=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$until" ] || fail "no $what within $seconds seconds"
    sleep 0.3
  done
}

# A field of a JSON object on standard input.
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

say "a new Debian 12"
if [ ! -e "$base" ]; then
  mkdir -p "$(dirname "$base")"
  mmdebstrap --quiet --format=tar --variant=minbase --include=ca-certificates,systemd-sysv bookworm "$base.new"
  mv "$base.new" "$base"
fi
mkdir "$root"
tar --extract --file "$base" --directory "$root"
cp "$package" "$root/root/"

say "install.md, Install"
guide install.md Install '(rehearsal)?' | sed 's/^/  # /'
# The booted system has no outside network, so apt-get runs before.
{ echo 'set -eu; cd /root'; guide install.md Install '(rehearsal)?' | grep '^apt-get '; } > "$root/root/install.sh"
timeout 300 systemd-nspawn --quiet --machine="$machine" --register=no --keep-unit --pipe --resolv-conf=copy-host \
  --directory "$root" env DEBIAN_FRONTEND=noninteractive sh /root/install.sh \
  > "$folder/install.log" 2>&1 </dev/null || { cat "$folder/install.log"; fail "the installation"; }

say "it boots"
systemd-nspawn --quiet --machine="$machine" --register=no --keep-unit --boot --private-network --directory "$root" \
  > "$folder/boot.log" 2>&1 </dev/null &
container=$!
find_leader() { leader=$(pgrep --parent "$container" | head -n 1); [ -n "$leader" ]; }
await "first process" 20 find_leader
find_leader
await "running system" 60 inside 'systemctl is-system-running | grep -E "running|degraded"'
[ "$(inside 'cat /proc/1/comm')" = systemd ] || fail "systemd is not the first process"
for unit in litegate litegate-sweeper; do
  [ "$(inside "systemctl is-active $unit || true")" = inactive ] || fail "$unit was started by itself"
  [ "$(inside "systemctl is-enabled $unit || true")" = disabled ] || fail "$unit was enabled by itself"
done
guide install.md Install '(rehearsal)?' | grep --invert-match '^apt-get ' > "$folder/rest"
while read -r line; do inside "$line" < /dev/null; done < "$folder/rest"
for file in share/man/man1/litegate-init.1.gz share/bash-completion/completions/litegate \
  share/doc/litegate/OPERATORS.md share/doc/litegate/how-to/install.md \
  share/doc/litegate/reference/metrics.md share/doc/litegate/THIRD-PARTY-NOTICES.gz; do
  inside "test -s /usr/$file" || fail "/usr/$file is not there"
done

say "install.md, Configure"
guide install.md Configure '' > "$folder/configure"
[ "$(grep -c . "$folder/configure")" -ge 6 ] || fail "install.md has no commands under Configure"
added=
while read -r line; do
  case $line in
    *ADDRESS*)
      address=$(cli getnewaddress)
      line=$(rehearsed <<< "$line")
      say "  # $line"
      added=$(inside "$line --json")
      continue ;;
    'litegate doctor')
      await "node" 30 cli getblockchaininfo
      cli createwallet shopper >/dev/null
      cli generatetoaddress 101 "$(cli getnewaddress)" >/dev/null ;;
  esac
  line=$(rehearsed <<< "$line")
  say "  # $line"
  inside "$line" < /dev/null
  if [[ $line == *'litegate init'* ]]; then
    # A receiver on this machine itself, which does not exist on mainnet.
    inside 'printf "\n[webhooks]\nallow_private_networks = true\n" >> /etc/litegate/litegate.toml'
  fi
done < "$folder/configure"
key=$(field apiKey <<< "$added")

say "a payment"
beside_meanwhile python3 -c '
import http.server, sys
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        open(sys.argv[1], "ab").write(body + b"\n")
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 9090), Receiver).serve_forever()
' "$folder/received" 2>"$folder/receiver.log" >&2
receiver=$!
await "ready gateway" 30 beside curl --fail --silent http://127.0.0.1:9180/readyz
payment=$(beside curl --fail --silent --max-time 10 http://127.0.0.1:8080/api/payments \
  -H "x-api-key: $key" -H 'content-type: application/json' \
  -d '{"amountLtc": 0.05, "webhookUrl": "http://127.0.0.1:9090/hook"}')
id=$(field paymentId <<< "$payment")
cli sendtoaddress "$(field receivingAddress <<< "$payment")" 0.05 >/dev/null
cli generatetoaddress 6 "$(cli getnewaddress)" >/dev/null
completed() {
  beside curl --silent "http://127.0.0.1:8080/api/payments/$id" | grep --quiet '"status":"completed"'
}
await "completion" 30 completed
await "webhook" 30 grep --quiet "$id" "$folder/received"
say "completed, and the shop was told"
inside 'litegate sweep'
cli generatetoaddress 1 "$(cli getnewaddress)" >/dev/null
paid_out() { [[ $(cli getreceivedbyaddress "$address") == 0.04* ]]; }
await "payout" 30 paid_out
say "paid out: $(cli getreceivedbyaddress "$address") LTC of 0.05"
inside 'litegate audit'
inside 'systemctl --no-pager show --property Id,User,StatusText,NRestarts litegate litegate-sweeper'

promtool=$(sh tests/promtool.sh)
beside curl --fail --silent http://127.0.0.1:9180/metrics | "$promtool" check metrics

say "the sandbox is real, and the gateway's user finds no key"
for unit in litegate litegate-sweeper; do
  pid=$(inside "systemctl show --value --property MainPID $unit")
  inside "grep --quiet --extended-regexp '^NoNewPrivs:\s*1$' /proc/$pid/status" || fail "$unit: new privileges"
  inside "grep --quiet --extended-regexp '^Seccomp:\s*2$' /proc/$pid/status" || fail "$unit: no filter of calls"
  inside "grep --quiet --extended-regexp '^CapEff:\s*0+$' /proc/$pid/status" || fail "$unit: capabilities"
done
sweeper=$(inside 'systemctl show --value --property MainPID litegate-sweeper')
attempts=0
while read -r attempt; do
  attempts=$((attempts + 1))
  if inside "setpriv --reuid litegate --regid litegate --clear-groups sh -c '$attempt'" >/dev/null 2>&1 </dev/null; then
    fail "as the gateway's user: $attempt"
  fi
done <<ATTEMPTS
cat /etc/litegate/signing.key
cat /etc/litegate/seal.key
cat /etc/litegate/secret
cat /etc/litegate/row.key
cat /run/credentials/litegate-sweeper.service/row.key
cat /run/credentials/litegate-sweeper.service/signing.key
cat /run/credentials/litegate-sweeper.service/seal.key
cat /var/lib/litegate-sweeper/record
echo x >> /var/lib/litegate-sweeper/record
cat /proc/$sweeper/environ
head --bytes 1 /proc/$sweeper/mem
ls /proc/$sweeper/root/
kill -9 $sweeper
echo x >> /etc/litegate/litegate.toml
cp /bin/true /etc/litegate/signing.key
cp /bin/true /usr/bin/litegate
cat /var/lib/litecoind/regtest/.cookie
ATTEMPTS
say "$attempts attempts refused"
inside 'test ! -e /run/credentials/litegate-sweeper.service/secret' || fail "the sweeper has the master secret"
inside 'setpriv --reuid litegate-sweeper --regid litegate --clear-groups cat /etc/litegate/secret' >/dev/null 2>&1 \
  && fail "the sweeper's user can read the master secret"

say "several-nodes.md"
guide several-nodes.md '' '' > "$folder/drop-in"
[ "$(grep -c . "$folder/drop-in")" = 2 ] || fail "several-nodes.md has no drop-in"
# As `systemctl edit` would write it.
inside 'mkdir -p /etc/systemd/system/litegate-sweeper.service.d'
cp "$folder/drop-in" "$root/etc/systemd/system/litegate-sweeper.service.d/override.conf"
inside 'systemctl daemon-reload && systemctl restart litegate-sweeper'
inside 'systemctl show --value --property IPAddressAllow litegate-sweeper' | grep --quiet '192.0.2.7' \
  || fail "the sweeper may not talk to the second node"

say "monitoring.md, payouts.md and audit.md"
inside 'systemctl status litegate' | grep --quiet 'height 10' || fail "the status names no height"
inside 'systemctl reload litegate'
await "log at a raised level" 20 inside "journalctl --unit litegate | grep --quiet 'log level changed'"
inside 'systemctl reload litegate'
inside 'litegate doctor' > "$folder/doctor.log" || { cat "$folder/doctor.log"; fail "the doctor finds a failure"; }
inside "litegate payment show $id && litegate webhook list --failed && litegate sweep --dry-run" > "$folder/look.log"
inside 'litegate rescan --from-height 1'

say "back-up-and-restore.md"
# Opens a payment page, and requests the same payment.
open_payment() {
  beside curl --fail --silent --max-time 10 http://127.0.0.1:8080/api/payments \
    -H "x-api-key: $key" -H 'content-type: application/json' -d '{"amountLtc": 0.07}' | field paymentId
}
is_known() { beside curl --fail --silent --max-time 5 "http://127.0.0.1:8080/api/payments/$1"; }
start_again() {
  inside 'systemctl start litegate litegate-sweeper'
  await "ready gateway" 30 beside curl --fail --silent http://127.0.0.1:9180/readyz
}
cp "$(sh tests/litestream.sh)" "$root/usr/bin/litestream"
guide back-up-and-restore.md '' '' > "$folder/back-up"
[ "$(grep -c . "$folder/back-up")" = 9 ] || fail "back-up-and-restore.md has other commands"
while read -r line; do
  say "  # $line"
  case $line in
    'litegate backup '*) inside "${line/FILE//root/copy.db}" < /dev/null ;;
    'litegate restore FILE')
      inside 'systemctl stop litegate litegate-sweeper'
      inside "${line/FILE//root/copy.db}" < /dev/null
      start_again
      is_known "$id" >/dev/null || fail "the payment is not in the backup" ;;
    'litestream restore'*)
      await "first copy" 30 inside 'find /var/backups/litegate/replica -name "*.ltx" | grep --quiet .'
      second=$(open_payment)
      # Litestream replicates pending changes before it stops; then the disk is lost.
      inside 'systemctl stop litegate litegate-sweeper litestream'
      inside 'rm -f /var/lib/litegate/litegate.db /var/lib/litegate/litegate.db-*'
      inside "$line" < /dev/null ;;
    'litegate restore --replica'*)
      inside "$line" < /dev/null
      start_again
      is_known "$id" >/dev/null || fail "the payment is not in the replica"
      is_known "$second" >/dev/null || fail "the newest payment is not in the replica" ;;
    *) inside "$line" < /dev/null ;;
  esac
done < "$folder/back-up"
inside 'litegate audit'

say "an upgrade"
before=$(inside 'systemctl show --value --property MainPID litegate')
inside 'dpkg --install /root/litegate_*.deb' > "$folder/upgrade.log" 2>&1
await "ready gateway after the upgrade" 30 beside curl --fail --silent http://127.0.0.1:9180/readyz
[ "$(inside 'systemctl show --value --property MainPID litegate')" != "$before" ] || fail "the old program runs on"
beside curl --silent "http://127.0.0.1:8080/api/payments/$id" | grep --quiet '"status":"completed"' || fail "the payment is lost"

say "removed, purged"
inside 'apt-get remove -y litegate' > "$folder/remove.log" 2>&1
for unit in litegate litegate-sweeper; do
  [ "$(inside "systemctl is-active $unit || true")" = inactive ] || fail "$unit runs on"
done
inside 'apt-get purge -y litegate' > "$folder/purge.log" 2>&1
grep --quiet 'holds keys or accounts and is kept' "$folder/purge.log" || fail "the purge says nothing of the keys"
inside 'test -s /etc/litegate/signing.key && test -s /var/lib/litegate/litegate.db' || fail "the purge took the money"
# Files created by the guides' commands belong to the operator.
inside 'rm -r /etc/systemd/system/litegate-sweeper.service.d /var/backups/litegate /usr/bin/litestream'
left=$(inside 'find / -xdev -path /root -prune -o -path /proc -prune -o -path /var/log -prune -o -name "*litegate*" -print' \
  | grep --invert-match --extended-regexp '^/(etc/litegate|var/lib/litegate|var/lib/litegate-sweeper)(/|$)' || true)
[ -z "$left" ] || fail "left behind: $left"
say "everything is as the guides say"
