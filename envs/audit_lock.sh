#!/bin/sh
# Downloads the requirements of envs/audit.in and writes their versions with their hashes, for each
# supported Python, to envs/audit.lock.
set -eu
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

download() {
  "$python" -m pip download -q --disable-pip-version-check --no-deps -d "$scratch/one" "$@" >&2
}

{
  echo "# Versions and hashes (Linux on x86-64); written by envs/audit_lock.sh from audit.in."
  grep -v '^#' envs/audit.in | while read -r requirement; do
    mkdir "$scratch/one"
    download "$requirement"
    if ls "$scratch/one" | grep -q x86_64; then
      for version in 3.11 3.12 3.13; do
        download --only-binary :all: --python-version "$version" "$requirement"
      done
    fi
    printf %s "$requirement"
    sha256sum "$scratch/one"/* | sed 's/ .*//; s/^/ --hash=sha256:/' | sort -u | tr -d '\n'
    echo
    rm -r "$scratch/one"
  done
} >"$scratch/lock"
mv "$scratch/lock" envs/audit.lock
