#!/usr/bin/env bash
# Installs Debian's Firefox, unless there is one.
set -euo pipefail
if [ -x "${FIREFOX:-/usr/bin/firefox-esr}" ]; then exit 0; fi
source "$(dirname "$0")/../debian.sh"
debian_install "Firefox for the browser tests" \
  "The browser tests need Firefox: install it, and name it with FIREFOX=/path/to/firefox." firefox-esr
