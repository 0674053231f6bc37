#!/usr/bin/env bash
# Builds the virtual GPU into a folder: its libraries in lib, what XLA takes for a CUDA toolkit in cuda.
# build.sh [FOLDER]: build/virtual_gpu of the project, if none is named. Needs a CUDA toolkit, 12 or 13,
# for its headers and its assembler: nvcc in PATH, or CUDA_HOME.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../build/virtual_gpu}
PATH=${CUDA_HOME:+$CUDA_HOME/bin:}$PATH:/usr/local/cuda/bin
log=$out/build.log
mkdir -p "$out"
if ! {
  cmake -S "$here" -B "$out/build" -DCMAKE_INSTALL_PREFIX="$(cd "$out" && pwd)" &&
    cmake --build "$out/build" --parallel "${JOBS:-$(nproc)}" &&
    cmake --install "$out/build"
} >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  exit 1
fi
