#!/bin/sh
# The compiler, told to make the crates of this repository such that libFuzzer sees what is covered. The
# flags are of the stable compiler. Dependencies are left as they are: so `cargo test` has built them.
repository=$(cd "$(dirname "$0")/.." && pwd)
rustc=$1
shift
case "$CARGO_MANIFEST_DIR" in
"$repository" | "$repository/fuzz")
  set -- "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
  ;;
esac
exec "$rustc" "$@"
