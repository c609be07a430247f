#!/usr/bin/env bash
# Gets Debian's nginx and Caddy into a directory of their own, unless they are there.
set -euo pipefail
target=$1
if [ -x "$target/usr/sbin/nginx" ] && [ -x "$target/usr/bin/caddy" ]; then exit 0; fi
source "$(dirname "$0")/../debian.sh"
debian_unpack "nginx and Caddy for the proxies' tests" \
  "The proxies' tests need nginx and Caddy from Debian's archive (apt-get is not here)." "$target" nginx caddy
