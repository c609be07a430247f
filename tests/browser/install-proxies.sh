#!/usr/bin/env bash
# Gets Debian's nginx and Caddy into a directory of their own, unless they are there: unpacked and not installed, so
# that nothing is started and nothing of the machine changes.
set -euo pipefail
target=$1
if [ -x "$target/usr/sbin/nginx" ] && [ -x "$target/usr/bin/caddy" ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "The proxies' tests need nginx and Caddy from Debian's archive (apt-get is not here)." >&2
  exit 1
fi
mkdir -p "$target"
cd "$target"
if [ -z "$(apt-cache search --names-only '^nginx$')" ]; then
  as_root=()
  if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi
  "${as_root[@]}" apt-get update -qq
fi
echo "Getting Debian's nginx and Caddy for the proxies' tests ..." >&2
apt-get download -qq nginx caddy 2>/dev/null
for package in *.deb; do dpkg-deb -x "$package" .; done
rm -f ./*.deb
