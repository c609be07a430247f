#!/usr/bin/env bash
# Installs Debian's Chromium, unless there is one.
set -euo pipefail
if [ -x "${CHROMIUM:-/usr/bin/chromium}" ]; then exit 0; fi
source "$(dirname "$0")/../debian.sh"
debian_install "Chromium for the browser tests" \
  "The browser tests need Chromium: install it, and name it with CHROMIUM=/path/to/chromium." chromium
