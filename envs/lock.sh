#!/bin/sh
# Resolves envs/requirements.in in a fresh environment and writes the exact versions to the lock.
set -eu
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" -m venv "$scratch/env"
"$scratch/env/bin/python" -m pip install --disable-pip-version-check -q -r envs/requirements.in
{
  echo "# Exact versions for every environment; written by 'make lock' from requirements.in."
  # A local version such as +cpu names a build, not a release, and other machines lack it.
  "$scratch/env/bin/python" -m pip freeze --disable-pip-version-check | sed 's/+[a-z0-9.]*$//'
} >"$scratch/lock"
mv "$scratch/lock" envs/requirements.lock
# Conda environments are rebuilt when this checksum changes, since it is part of their script.
checksum=$(sha256sum envs/requirements.lock | cut -d' ' -f1)
sed -i "s/^lock_sha256=.*/lock_sha256=$checksum/" envs/upsampling.post-deploy.sh
