# The commands of the README. `make demo` and `make test` install what is missing.

.PHONY: demo test field-test soak bench bench-quick bench-smoke bench-sweeps build deb deny install-test lint

# The whole gateway on regtest, with a node of its own: a payment from the API call to the payout.
demo:
	sh tests/install.sh demo
	cargo build --locked
	./target/debug/litegate demo --autopay

# Everything that CI runs: the tests of `cargo test`, and those that take longer.
test:
	sh tests/install.sh test
	$(MAKE) lint
	cargo test --locked -- --include-ignored $$(sh tests/privileges.sh)
	$(MAKE) bench-smoke

# The proxies of Debian in front of the real gateway, situations that others reported, and the layout of
# the container.
field-test:
	sh tests/install.sh field
	cargo test --locked --test it -- --include-ignored $$(sh tests/privileges.sh) proxies situations doctor refusals
	sh tests/container.sh target/debug/litegate

# Everything at once for half an hour or more; SEED=7 makes another history of it.
soak:
	sh tests/install.sh demo
	SOAK_MERCHANTS=50 SOAK_PAYMENTS=2000 \
		cargo test --locked --test it soak -- --include-ignored --nocapture

# How fast everything is, beside its floor, with up to ten million payments (16 GB below
# target/bench while it runs), and how little it costs more then. WRITE=--write puts the results
# into static/docs/BENCHMARKS.md.
bench:
	sh tests/install.sh demo
	mkdir -p target/bench/files
	ulimit -n 65536 2>/dev/null || ulimit -n "$$(ulimit -Hn)"; TMPDIR=$(CURDIR)/target/bench/files \
		cargo bench --locked --bench speed -- full $(WRITE)

# The same with short histories, in two minutes after building.
bench-quick:
	sh tests/install.sh demo
	mkdir -p target/bench/files
	ulimit -n 65536 2>/dev/null || ulimit -n "$$(ulimit -Hn)"; TMPDIR=$(CURDIR)/target/bench/files \
		cargo bench --locked --bench speed -- quick $(WRITE)

# Shows that the benchmark still runs. Its figures say nothing: nothing is optimized, and all is small.
bench-smoke:
	mkdir -p target/bench/files
	TMPDIR=$(CURDIR)/target/bench/files cargo bench --locked --profile dev --bench speed -- smoke

# How large sweeps are, against the least that they can be.
bench-sweeps:
	sh tests/install.sh demo
	cargo bench --locked --profile dev --bench sweep_size

build:
	cargo build --locked --release

# The Debian package, in target/debian.
deb:
	sh tests/install.sh deb
	sh systemd/debian/build.sh release
	sh tests/program.sh target/package/litegate

# The how-to guides' commands on a new Debian 12 with systemd, from the package's installation to its purge.
# As root. The program in this package is that of `cargo build`: it is there in a minute.
install-test:
	sh tests/install.sh installed
	sh systemd/debian/build.sh dev
	sh tests/lint.sh target/debian/litegate_*.deb
	bash tests/installed.sh target/debian/litegate_*.deb

# Bans, licences and sources of all crates by deny.toml, and known faults where the RustSec database on GitHub
# can be reached. A part of `make lint`.
deny:
	sh tests/deny.sh

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	sh tests/deny.sh
