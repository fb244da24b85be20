# Short names for what one types often. `just --list` shows them.

# Start the shop
run *args:
    cargo run -- {{args}}

# Everything a change has to pass, or only the tests whose name contains the filter
test filter="":
    tests/run {{filter}}

# What one runs while writing
check:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings

# The documentation of every crate, in the browser
docs:
    cargo doc --workspace --no-deps --open

# Licences, advisories and sources of the dependencies
deny:
    cargo deny check
