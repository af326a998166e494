#!/usr/bin/env bash
# Run by Snakemake inside the new conda environment, from the repository's folder.
set -euo pipefail
lock=envs/requirements.lock
lock_sha256=0792c470bf2d57ed9c9f44e861467955b192683fd7c8b922a7fa50b70df50409
if ! echo "$lock_sha256  $lock" | sha256sum --check --quiet -; then
  echo "error: $lock is missing here or does not match envs/upsampling.post-deploy.sh; run snakemake from the repository's folder, or 'make lock' after a change" >&2
  exit 1
fi
python -m pip install --no-input --disable-pip-version-check -r "$lock"
