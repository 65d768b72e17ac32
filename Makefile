# The commands of the README. `make demo` and `make test` install what is missing.

.PHONY: demo test build lint

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

build:
	cargo build --locked --release

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
