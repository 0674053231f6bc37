#!/usr/bin/env bash
# Builds the virtual GPU into a folder: its libraries in lib, what XLA takes for a CUDA toolkit in cuda.
# build.sh [FOLDER]: build/virtual_gpu of the project, if none is named. Needs a CUDA toolkit, 12.4 or
# later, for its headers and its assembler: nvcc in PATH, in CUDA_HOME, or beside PYTHON.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../build/virtual_gpu}
PATH=${CUDA_HOME:+$CUDA_HOME/bin:}$PATH:/usr/local/cuda/bin
log=$out/build.log
mkdir -p "$out"
# Or that of PyPI's packages, as for tailops itself.
toolkit=
if ! command -v nvcc >/dev/null; then
  found=$("${PYTHON:-python3}" "$here/../../cmake/find_nvcc.py")
  toolkit=${found%%/bin/nvcc;*}
fi
if ! {
  cmake -S "$here" -B "$out/build" -DCMAKE_INSTALL_PREFIX="$(cd "$out" && pwd)" \
    -DCUDA_TOOLKIT="$toolkit" &&
    cmake --build "$out/build" --parallel "${JOBS:-$(nproc)}" &&
    cmake --install "$out/build"
} >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  exit 1
fi
