# For the installers of what tests need: packages of Debian's archive. It is sourced, and needs `set -euo pipefail`.

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# debian_is_here OTHERWISE: ends with that sentence where there is no Debian.
debian_is_here() {
  if ! command -v apt-get >/dev/null; then
    echo "$1" >&2
    exit 1
  fi
}

# debian_install WHAT OTHERWISE PACKAGE...: installs packages.
debian_install() {
  local what=$1
  debian_is_here "$2"
  shift 2
  echo "Installing Debian's $what ..." >&2
  as_root apt-get update -qq
  # sudo takes variables away: they are set behind it.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# debian_unpack WHAT OTHERWISE DIRECTORY PACKAGE...: unpacks packages into a directory, and does not install them, so that
# nothing is started and nothing of the machine changes.
debian_unpack() {
  local what=$1 target=$3
  debian_is_here "$2"
  shift 3
  echo "Getting Debian's $what ..." >&2
  mkdir -p "$target"
  local fresh
  fresh=$(mktemp -d "$target/download.XXXXXX")
  # The first may fail, where the lists of packages are missing or name what the archive has no more; the second says why.
  if ! (cd "$fresh" && debian_download "$@" 2>/dev/null); then
    as_root apt-get update -qq
    if ! (cd "$fresh" && debian_download "$@"); then
      rm -rf "$fresh"
      exit 1
    fi
  fi
  local package
  for package in "$fresh"/*.deb; do dpkg-deb -x "$package" "$target"; done
  rm -rf "$fresh"
}

debian_download() {
  # As root, it would warn that it can not become a user who may not write here.
  apt-get download -qq -o APT::Sandbox::User="$(id -un)" "$@"
}
