# Commands of the README. `make demo` and `make test` install missing tools.

.PHONY: demo test field-test soak bench bench-quick bench-smoke bench-sweeps build deb deny install-test lint

# Runs the whole gateway on regtest with a separate node: a payment from the API call to the
# payout.
demo:
	sh tests/install.sh demo
	cargo build --locked
	./target/debug/litegate demo --autopay

# Runs everything that CI runs: `cargo test` and the long tests.
test:
	sh tests/install.sh test
	@echo "stage 1 of 5: lint"
	$(MAKE) lint
	@echo "stage 2 of 5: unit tests"
	cargo test --locked --lib --bins
	@echo "stage 3 of 5: black-box tests"
	cargo test --locked --test it
	@echo "stage 4 of 5: long tests"
	cargo test --locked -- --ignored $$(sh tests/privileges.sh)
	@echo "stage 5 of 5: the benchmark runs"
	$(MAKE) bench-smoke

# Tests Debian's proxies in front of the gateway, reported situations, and the layout of the
# container.
field-test:
	sh tests/install.sh field
	cargo test --locked --test it -- --include-ignored $$(sh tests/privileges.sh) proxies situations doctor refusals
	sh tests/container.sh target/debug/litegate

# Runs everything at once for half an hour or more. SEED=7 makes another history.
soak:
	sh tests/install.sh demo
	SOAK_MERCHANTS=50 SOAK_PAYMENTS=2000 \
		cargo test --locked --test it soak -- --include-ignored --nocapture

# Measures speed with up to ten million payments (16 GB below target/bench) against its lower
# bound. WRITE=--write updates static/docs/BENCHMARKS.md.
bench:
	sh tests/install.sh demo
	mkdir -p target/bench/files
	ulimit -n 65536 2>/dev/null || ulimit -n "$$(ulimit -Hn)"; TMPDIR=$(CURDIR)/target/bench/files \
		cargo bench --locked --bench speed -- full $(WRITE)

# The same with short histories, in two minutes after the build.
bench-quick:
	sh tests/install.sh demo
	mkdir -p target/bench/files
	ulimit -n 65536 2>/dev/null || ulimit -n "$$(ulimit -Hn)"; TMPDIR=$(CURDIR)/target/bench/files \
		cargo bench --locked --bench speed -- quick $(WRITE)

# Checks that the benchmark runs. Its figures are meaningless: unoptimised and small.
bench-smoke:
	mkdir -p target/bench/files
	TMPDIR=$(CURDIR)/target/bench/files cargo bench --locked --profile dev --bench speed -- smoke

# Compares the size of sweeps with the possible minimum.
bench-sweeps:
	sh tests/install.sh demo
	cargo bench --locked --profile dev --bench sweep_size

build:
	cargo build --locked --release

# Builds the Debian package in target/debian.
deb:
	sh tests/install.sh deb
	sh systemd/debian/build.sh release
	sh tests/program.sh target/package/litegate

# Runs the how-to guides' commands on a new Debian 12 with systemd, from installation to purge.
# Needs root. The package contains the program of `cargo build`, so it builds in a minute.
install-test:
	sh tests/install.sh installed
	sh systemd/debian/build.sh dev
	sh tests/lint.sh target/debian/litegate_*.deb
	bash tests/installed.sh target/debian/litegate_*.deb

# Checks bans, licences and sources of all crates by deny.toml, and known vulnerabilities if
# the RustSec database on GitHub is reachable. Part of `make lint`.
deny:
	sh tests/deny.sh

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	sh tests/deny.sh
