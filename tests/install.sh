#!/bin/sh
# Installs missing tools on Debian, and prints what and why.
#
#   tests/install.sh demo         what it takes to build and to run the demo
#   tests/install.sh test         the same, and what the tests use
#   tests/install.sh field        the same, and the proxies of Debian
#   tests/install.sh deb          what it takes to make the package
#   tests/install.sh installed    the same, and what installs it on a new system
set -eu

what=${1:-demo}

# One line each: package, command that succeeds if it is installed, purpose.
wanted() {
  cat <<'LIST'
g++|command -v g++|compiles ZeroMQ and SQLite
pkg-config|command -v pkg-config|finds OpenSSL for the build
libssl-dev|pkg-config --exists openssl|TLS for webhooks and Discord
litecoind|PATH="$PATH:/usr/lib/litecoin" command -v litecoind|the node (for demo and tests)
LIST
  if [ "$what" = test ] || [ "$what" = field ]; then
    cat <<'LIST'
chromium|command -v chromium|shows the checkout as shoppers see it
firefox-esr|command -v firefox-esr|shows it as other shoppers see it
zbar-tools|command -v zbarimg|reads the QR codes from its pictures
curl|command -v curl|runs the guide's first example
nodejs|command -v node|runs the guide's Node examples and drives the browser
npm|command -v npm|installs axios and express for them
python3|command -v python3|runs the guide's Python example
python3-pip|python3 -m pip --version|installs requests, schemathesis and others for the tests
systemd|command -v systemd-analyze|judges the units
bsdutils|command -v script|a terminal for the questions of init
LIST
  fi
  if [ "$what" = test ] || [ "$what" = field ]; then
    cat <<'LIST'
nginx-light|PATH="$PATH:/usr/sbin" command -v nginx|stands in front of the gateway
caddy|command -v caddy|stands in front of it, too
haproxy|PATH="$PATH:/usr/sbin" command -v haproxy|stands in front of it, too
LIST
  fi
  if [ "$what" = field ]; then
    cat <<'LIST'
mmdebstrap|command -v mmdebstrap|makes a root as a container has it
golang-go|command -v go|posts large bodies as Go clients do
LIST
  fi
  if [ "$what" = deb ] || [ "$what" = installed ]; then
    cat <<'LIST'
python3|command -v python3|collects the notices of the libraries
dpkg-dev|command -v dpkg-shlibdeps|finds what the package depends on
binutils|command -v objcopy|looks into the program
LIST
  fi
  if [ "$what" = installed ]; then
    cat <<'LIST'
mmdebstrap|command -v mmdebstrap|makes a new Debian
systemd-container|command -v systemd-nspawn|boots it
python3-pip|python3 -m pip --version|installs Litestream for it
curl|command -v curl|calls the gateway
lintian|command -v lintian|looks for faults of the package
mandoc|command -v mandoc|looks for faults of the manual
shellcheck|command -v shellcheck|looks for faults of scripts
LIST
  fi
}

# Cargo programs: command and purpose.
cargo_wanted() {
  if [ "$what" = deb ] || [ "$what" = installed ]; then echo cargo-deb; fi
  if [ "$what" = deb ]; then echo cargo-auditable; fi
}

if ! command -v cargo >/dev/null 2>&1; then
  echo "install: Rust is missing: install it by https://rustup.rs, then run this again" >&2
  exit 2
fi

for program in $(cargo_wanted); do
  if ! command -v "$program" >/dev/null 2>&1; then
    echo "install: cargo install $program, which is missing; it takes some minutes"
    cargo install --quiet --locked "$program"
  fi
done

missing=
reasons=
list=$(wanted)
while IFS='|' read -r package check purpose; do
  # A litecoind named by the caller needs no package.
  if [ "$package" = litecoind ] && [ -n "${LITECOIND:-}" ]; then continue; fi
  if ! sh -c "$check" >/dev/null 2>&1; then
    missing="$missing $package"
    reasons="${reasons}install: $package is missing: $purpose
"
  fi
done <<LIST
$list
LIST

if [ -z "$missing" ]; then
  echo "install: everything is there"
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "install: there is no apt-get here; install by hand:$missing" >&2
  exit 2
fi
root=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "install: run as root: apt-get install$missing" >&2
    exit 2
  fi
  root=sudo
fi
# Debian 13 and Ubuntu have no litecoind; use the project's own build.
case " $missing " in
  *" litecoind "*)
    if ! apt-cache show litecoind >/dev/null 2>&1; then
      echo "install: this distribution has no litecoind. Take Litecoin Core 0.21.5.4 or later from" >&2
      echo "install: https://litecoin.org, verify SHA256SUMS and its signature as litecoind/README.md" >&2
      echo "install: says, and put litecoind into the path, or name it: LITECOIND=/path/to/litecoind" >&2
      exit 2
    fi
    ;;
esac
printf '%s' "$reasons"
echo "install: apt-get install$missing"
$root apt-get update -qq
# shellcheck disable=SC2086 # The list is meant to be split.
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
echo "install: done"
