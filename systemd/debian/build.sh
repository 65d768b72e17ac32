#!/bin/sh
# Builds target/debian/litegate_….deb. With `dev`, packages the program of `cargo build`, for
# tests.
set -eu
cd "$(dirname "$0")/../.."

profile=${1:-release}
made=target/package

# The released program: contains the list of its crates (cargo-auditable) and the C++ library,
# and no path of the build machine, so that the same source gives the same program. It has a
# separate target directory, because other settings would rebuild everything.
release_program() {
  home=${CARGO_HOME:-$HOME/.cargo}
  anywhere="-ffile-prefix-map=$home=/cargo -ffile-prefix-map=$PWD=/litegate"
  env CARGO_TARGET_DIR=target/distributed CARGO_INCREMENTAL=0 \
    RUSTFLAGS="--remap-path-prefix=$home=/cargo --remap-path-prefix=$PWD=/litegate -L native=$(dirname "$(g++ -print-file-name=libstdc++.a)")" \
    CFLAGS="$anywhere" CXXFLAGS="$anywhere" CXXSTDLIB='static=stdc++' \
    cargo auditable build --locked --release
}

case $profile in
  release) release_program; program=target/distributed/release/litegate; pace= ;;
  dev) cargo build --locked; program=target/debug/litegate; pace=--fast ;;
  *) echo "build.sh: release or dev?" >&2; exit 2 ;;
esac

rm -rf "$made"
mkdir -p "$made"
"./$program" man "$made/man"
strip --strip-all -o "$made/litegate" "$program"
for shell in bash zsh fish; do
  "./$program" completions "$shell" > "$made/litegate.$shell"
done
python3 systemd/debian/notifications.py | gzip -9n > "$made/THIRD-PARTY-NOTICES.gz"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
# Debian's changelog format; the changes are in CHANGELOG.md beside it. The date is that of the
# newest commit, so that the same source gives the same package.
date=$(git log -1 --format=%aD 2>/dev/null || date -R)
cat > "$made/changelog" <<TEXT
litegate ($version) stable; urgency=medium

  * See CHANGELOG.md in this folder.

 -- The litegate developers <litegate@maintainers.invalid>  $date
TEXT
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
cargo deb --no-build --no-strip --locked $pace
