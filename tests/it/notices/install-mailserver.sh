#!/usr/bin/env bash
# Gets Debian's chasquid, a mail server, into a directory of its own, unless it is there: unpacked and not installed, so
# that nothing is started and nothing of the machine changes.
set -euo pipefail
target=$1
if [ -x "$target/usr/bin/chasquid" ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "The tests of mails need chasquid from Debian's archive (apt-get is not here)." >&2
  exit 1
fi
mkdir -p "$target"
cd "$target"
if [ -z "$(apt-cache search --names-only '^chasquid$')" ]; then
  as_root=()
  if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi
  "${as_root[@]}" apt-get update -qq
fi
echo "Getting Debian's chasquid for the tests of mails ..." >&2
apt-get download -qq chasquid 2>/dev/null
for package in *.deb; do dpkg-deb -x "$package" .; done
rm -f ./*.deb
