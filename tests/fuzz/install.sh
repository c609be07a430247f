#!/usr/bin/env bash
# Installs the fuzzer into the virtual environment that is named, unless it is there: pinned, with hashes.
# To renew the pins: pip-compile --generate-hashes --strip-extras requirements.in
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$1
if cmp -s "$here/requirements.txt" "$venv/installed.txt"; then exit 0; fi
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  if ! command -v apt-get >/dev/null; then
    echo "The fuzzer needs Python 3.10 or later, with venv and pip." >&2
    exit 1
  fi
  as_root=()
  if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi
  echo "Installing Debian's python3-venv for the fuzzer ..." >&2
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
fi
echo "Installing the fuzzer ..." >&2
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.txt"
cp "$here/requirements.txt" "$venv/installed.txt"
