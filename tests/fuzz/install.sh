#!/usr/bin/env bash
# Installs the fuzzer into the virtual environment that is named, unless it is there: pinned, with hashes.
# To renew the pins: pip-compile --generate-hashes --strip-extras requirements.in
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=$1
if cmp -s "$here/requirements.txt" "$venv/installed.txt"; then exit 0; fi
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  source "$here/../debian.sh"
  debian_install "python3-venv for the fuzzer" \
    "The fuzzer needs Python 3.10 or later, with venv and pip." python3-venv
fi
echo "Installing the fuzzer ..." >&2
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements.txt"
cp "$here/requirements.txt" "$venv/installed.txt"
