#!/bin/sh
# Installs the packages of tools/packages.txt that are missing, and nothing else; says nothing when all are there.
# Needs Debian 12 (or a relative with the same package names) and, only if something is missing, root or sudo. Exit 2 when it cannot.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
packages=$(grep -v '^#' "$here/packages.txt")

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "tools/setup.sh: this is not a Debian system; install what corresponds to:" $packages >&2
  exit 2
fi

missing=
for package in $packages; do
  status=$(dpkg-query -W -f='${db:Status-Status} ' "$package" 2>/dev/null || true)
  case "$status" in
    *installed*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif command -v sudo >/dev/null; then
  as_root=sudo
else
  echo "tools/setup.sh: not root and no sudo; as root, run: apt-get install --no-install-recommends$missing" >&2
  exit 2
fi

echo "installing:$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update &&
       $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "tools/setup.sh: apt-get could not install:$missing" >&2
  exit 2
fi
