#!/usr/bin/env bash
# Builds the fuzz targets and runs them, two at a time: fuzz/run.sh SECONDS [TARGET]...
#
# What a run finds new is kept in the target directory, as long as that is there; an input that fails is
# put there, too, and its name is printed. An input worth keeping is copied to fuzz/corpus by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?how many seconds each target runs}
shift
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  targets=(decode_beacon read_page read_agent read_forwarding recover_spool parse_query)
fi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}
found=$CARGO_TARGET_DIR/fuzz-targets

fuzz/install-compiler.sh
RUSTC_WRAPPER=$PWD/fuzz/rustc.sh cargo build --locked --manifest-path fuzz/Cargo.toml

fuzz() {
  local target=$1 options=()
  local dictionary=fuzz/dictionaries/$target.dict log=$found/$target.log
  if [ -f "$dictionary" ]; then options=("-dict=$dictionary"); fi
  mkdir -p "$found/$target"
  if ! "$CARGO_TARGET_DIR/debug/$target" "$found/$target" "fuzz/corpus/$target" "${options[@]}" \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -max_len=4096 -verbosity=1 \
    -print_final_stats=1 -artifact_prefix="$found/$target-" >"$log" 2>&1; then
    return 1
  fi
  local runs
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  echo "$target: $runs inputs, $(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1) places in the code reached"
}

mkdir -p "$found"

# The control comes first: what does not find a failure that is planted proves nothing.
rm -rf "$found/find_planted"
seconds_of_all=$seconds
seconds=30
if fuzz find_planted >/dev/null || ! grep -q 'planted' "$found/find_planted.log"; then
  tail -30 "$found/find_planted.log"
  echo "The planted failure was not found: the fuzz targets are blind." >&2
  exit 1
fi
seconds=$seconds_of_all

failed=()
for ((at = 0; at < ${#targets[@]}; at += 2)); do
  pair=("${targets[@]:at:2}") pids=()
  for target in "${pair[@]}"; do
    fuzz "$target" &
    pids+=($!)
  done
  for index in "${!pids[@]}"; do
    wait "${pids[$index]}" || failed+=("${pair[$index]}")
  done
done
for target in "${failed[@]}"; do
  echo "== $target failed:" >&2
  grep -v '^#' "$found/$target.log" | tail -40 >&2
done
exit $((${#failed[@]} > 0))
