#!/bin/sh
# Downloads what envs/audit.in names and writes its versions with their hashes to envs/audit.lock.
set -eu
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
{
  echo "# Versions and hashes (Linux on x86-64, Python 3.11); written by envs/audit_lock.sh from audit.in."
  grep -v '^#' envs/audit.in | while read -r requirement; do
    mkdir "$scratch/one"
    "$python" -m pip download -q --disable-pip-version-check --no-deps -d "$scratch/one" "$requirement" >&2
    echo "$requirement --hash=sha256:$(sha256sum "$scratch"/one/* | cut -d' ' -f1)"
    rm -r "$scratch/one"
  done
} >"$scratch/lock"
mv "$scratch/lock" envs/audit.lock
