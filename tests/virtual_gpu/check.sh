#!/usr/bin/env bash
# Builds the virtual GPU and the CUDA library for it, and runs everything on it that needs no TensorFlow:
# its own tests, every launch path, the GPU's tests, random problems. Argument: a folder for all of it.
# PYTHON has tailops installed, whose other libraries are taken. ROUNDS: how many problems of each kind
# are drawn.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:?a folder}
mkdir -p "$out"
out=$(cd "$out" && pwd)
failed=0

"$here/build.sh" "$out"
HOST_LIBRARIES=$("${PYTHON:-python3}" -c \
  'import pathlib, tailops._kernels as built; print(pathlib.Path(built.__file__).parent)')
export HOST_LIBRARIES
NVCC_APPEND_FLAGS=-lineinfo CUDA_RUNTIME=$out/lib CUDA_ARCHITECTURES=80-virtual "$root/tests/gpu/build.sh" "$out/site"

# What it complains of is on stderr, whatever the tests themselves find; its own tests provoke some.
step() {
  local name=$1 began=$SECONDS status=0
  shift
  "$@" > "$out/$name.log" 2>&1 || status=$?
  if [ "$name" != tests ] && grep -q '^virtual GPU: ' "$out/$name.log"; then status=1; fi
  if [ "$status" != 0 ]; then
    grep -m 5 '^virtual GPU: ' "$out/$name.log" || tail -n 25 "$out/$name.log"
  fi
  echo "$name: $(tail -n 1 "$out/$name.log"); status $status, $((SECONDS - began)) s"
  return $((status != 0))
}
on_gpu() { "$here/run.sh" "$out" "$@"; }
problems() {
  CUDA_RUNTIME=$out/lib "$here/run.sh" "$out" \
    "$root/tests/gpu/sanitize/run.sh" "$out/site/tailops" "${ROUNDS:-4}" plain
}

cd "$out/site"
export TAILOPS_TEST_GPU=1 TF_CPP_MIN_LOG_LEVEL=3
export PYTHONPATH=.:tests:tests/emulated_gpu:tests/gpu/kernels:tests/virtual_gpu
on_gpu python -c 'import virtual_gpu, sys; sys.exit(not virtual_gpu.is_here())'
step tests on_gpu python -m pytest -q -n 2 --capture=sys -p no:cacheprovider tests/virtual_gpu || failed=1
# Of the GPU's tests, what the launch paths above do not have.
step gpu_tests on_gpu python -m pytest -q -n 2 --capture=sys -p no:cacheprovider \
  tests/gpu/kernels -k "small_size or capture or concurrent or preparing or errors" || failed=1
# A kernel runs on one thread: side by side, they take what the longest takes.
step problems problems &
VIRTUAL_GPU_SPLIT=50 VIRTUAL_GPU_RESIDENT=12 step problems_with_split_warps problems &
VIRTUAL_GPU_WEAK=1 VIRTUAL_GPU_STALE=1 VIRTUAL_GPU_RESIDENT=16 VIRTUAL_GPU_DIRTY=1 VIRTUAL_GPU_SEED=3 \
  step problems_in_weak_memory problems &
for job in $(jobs -p); do wait "$job" || failed=1; done
exit $failed
