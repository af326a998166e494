#!/usr/bin/env bash
# Run by Snakemake inside the new conda environment, from the repository's folder.
set -euo pipefail
lock=envs/requirements.lock
lock_sha256=9889f4559e2ee40ec8db76da6a00500167e728c9e90e71f31a0515a745224b48
if ! echo "$lock_sha256  $lock" | sha256sum --check --quiet -; then
  echo "error: $lock is missing here or does not match envs/upsampling.post-deploy.sh; run snakemake from the repository's folder, or 'make lock' after a change" >&2
  exit 1
fi
python -m pip install --no-input --disable-pip-version-check -r "$lock"
