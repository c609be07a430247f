#!/usr/bin/env bash
# Ends with a sentence where there is no Node.js, no npm, or an older Node.js than the tests are written for.
set -euo pipefail
needed=$(sed -n 's/.*"node": ">=\(.*\)".*/\1/p' "$(dirname "$0")/browser/package.json")
here=$(node --version 2>/dev/null | tr -d v || true)
older=$(printf '%s\n' "$needed" "${here:-0}" | sort -V | head -n 1)
if [ -z "$here" ]; then
  found=none
elif ! command -v npm >/dev/null; then
  found="$here without npm"
elif [ "$older" != "$needed" ]; then
  found=$here
else
  exit 0
fi
echo "The tests need Node.js $needed or later, with npm, and here is $found: install one from nodejs.org, for Debian's may be older." >&2
exit 1
