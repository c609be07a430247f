#!/usr/bin/env bash
# Gets Debian's chasquid, a mail server, into a directory of its own, unless it is there.
set -euo pipefail
target=$1
if [ -x "$target/usr/bin/chasquid" ]; then exit 0; fi
source "$(dirname "$0")/../../debian.sh"
debian_unpack "chasquid for the tests of mails" \
  "The tests of mails need chasquid from Debian's archive (apt-get is not here)." "$target" chasquid
