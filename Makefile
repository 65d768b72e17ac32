# The commands of the README. `make demo` and `make test` install what is missing.

.PHONY: demo test soak bench build lint

# The whole gateway on regtest, with a node of its own: a payment from the API call to the payout.
demo:
	sh tests/install.sh demo
	cargo build --locked
	./target/debug/litegate demo --autopay

# Everything that CI runs: the tests of `cargo test`, and those that take longer.
test:
	sh tests/install.sh test
	$(MAKE) lint
	cargo test --locked -- --include-ignored

# Everything at once for half an hour or more; SEED=7 makes another history of it.
soak:
	sh tests/install.sh demo
	SOAK_MERCHANTS=50 SOAK_PAYMENTS=2000 \
		cargo test --locked --test it soak -- --include-ignored --nocapture

# How large sweeps are, against the least that they can be.
bench:
	sh tests/install.sh demo
	cargo bench --locked --profile dev --bench sweep_size

build:
	cargo build --locked --release

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
