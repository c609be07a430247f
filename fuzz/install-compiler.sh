#!/usr/bin/env bash
# Installs Debian's C++ compiler, which libFuzzer is built with, unless there is one.
set -euo pipefail
if command -v c++ >/dev/null; then exit 0; fi
source "$(dirname "$0")/../tests/debian.sh"
debian_install "g++ for the fuzz targets" \
  "The fuzz targets need a C++ compiler, which libFuzzer is built with." g++
