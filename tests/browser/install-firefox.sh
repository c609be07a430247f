#!/usr/bin/env bash
# Installs Debian's Firefox, unless there is one.
set -euo pipefail
if [ -x "${FIREFOX:-/usr/bin/firefox-esr}" ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "The browser tests need Firefox: install it, and name it with FIREFOX=/path/to/firefox." >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi
echo "Installing Debian's Firefox for the browser tests ..." >&2
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends firefox-esr >/dev/null
