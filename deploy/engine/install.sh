#!/usr/bin/env bash
# Gets the ClickHouse engine, once, and puts a link to it into each directory that is named: beside
# the program, which is where it looks. A recent `clickhouse` on PATH is used instead of it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/.*"@chdb\/lib-linux-x64-gnu": "\(.*\)".*/\1/p' "$here/package.json")

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64-gnu ;;
  Linux-aarch64) platform=linux-arm64-gnu ;;
  Darwin-arm64) platform=darwin-arm64 ;;
  Darwin-x86_64) platform=darwin-x64 ;;
  *)
    echo "There is no packaged engine for $(uname -s) $(uname -m): install clickhouse 26 or later, or set clickhouse.url." >&2
    exit 1
    ;;
esac
# npm refuses a directory whose package.json needs another platform's package, so these have their own.
prefix=$here
[ "$platform" = linux-x64-gnu ] || prefix=$here/node_modules/other-platform
package="$prefix/node_modules/@chdb/lib-$platform"
# Written last: a download that was interrupted leaves a package.json beside half of a library.
complete="$here/node_modules/.complete-$platform-$version"

if [ ! -f "$complete" ]; then
  if ! command -v npm >/dev/null; then
    echo "The ClickHouse engine comes as an npm package, and there is no npm: install Node.js 20.11 or later, with npm." >&2
    exit 1
  fi
  echo "Getting the ClickHouse engine (chdb $version for $platform, about 180 MB) ..." >&2
  if [ "$platform" = linux-x64-gnu ]; then
    # Checked against the integrity in package-lock.json.
    npm ci --prefix "$here" --ignore-scripts --no-progress --loglevel=error >&2
  else
    # By its name; npm checks it against what the registry says of it.
    rm -rf "$prefix"
    mkdir -p "$prefix"
    npm install --prefix "$prefix" --no-save --ignore-scripts --no-progress --loglevel=error "@chdb/lib-$platform@$version" >&2
  fi
  touch "$complete"
fi

library=$(find "$package" -maxdepth 1 -name 'libchdb.*' | head -n 1)
if [ -z "$library" ]; then
  echo "$package has no library: remove deploy/engine/node_modules and try again." >&2
  exit 1
fi
for directory in "$@"; do
  mkdir -p "$directory"
  ln -sfn "$library" "$directory/$(basename "$library")"
done
