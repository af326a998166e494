#!/usr/bin/env bash
# Run by Snakemake inside the new conda environment, from the repository's folder.
set -euo pipefail
lock=envs/requirements.lock
lock_sha256=35662705965b78d7b3c7c17fe7caa0b47e49649dde45fe9312ad8730be61baa4
if ! echo "$lock_sha256  $lock" | sha256sum --check --quiet -; then
  echo "error: $lock is missing here or does not match envs/upsampling.post-deploy.sh; run snakemake from the repository's folder, or 'make lock' after a change" >&2
  exit 1
fi
# With the CUDA build of torch, since the node that runs this need not be one with a GPU.
python -m pip install --no-input --disable-pip-version-check -r "$lock"
