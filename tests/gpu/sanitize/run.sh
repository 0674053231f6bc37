#!/usr/bin/env bash
# Random problems on the GPU, by themselves and under compute-sanitizer. Arguments: the folder of the
# libraries, as built by ../build.sh, how many rounds, and what they run under: "plain", or tools of
# compute-sanitizer. All of it, where none is named; "plain" then has more rounds.
set -euo pipefail
PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin
libraries=${1:?the folder of the libraries}
rounds=${2:-12}
tools=("${@:3}")
here=$(cd "$(dirname "$0")" && pwd)
needed=(nvcc)
[ "${tools[*]}" = plain ] || needed+=(compute-sanitizer)
for tool in "${needed[@]}"; do
  command -v "$tool" > /dev/null || { echo "needs $tool, of the CUDA toolkit, in PATH"; exit 1; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Another CUDA runtime than nvcc's own, as for the libraries: see cmake/cuda.cmake.
runtime=()
[ -z "${CUDA_RUNTIME:-}" ] || \
  runtime=(-cudart none "-L$CUDA_RUNTIME" -lcudart "-Xlinker=-rpath-link,$CUDA_RUNTIME")
nvcc -std=c++17 -O1 -lineinfo --expt-relaxed-constexpr -Xcompiler=-ffp-contract=off "-I$here/../../../csrc" "${runtime[@]}" \
  "$here/random_problems.cu" "$libraries/libtailops_cuda.so" "$libraries/libtailops_kernels.so" \
  -Xlinker=-rpath,"$libraries" -o "$folder/random_problems"
if [ ${#tools[@]} = 0 ]; then
  echo "plain"
  "$folder/random_problems" $((rounds * 20))
  tools=(memcheck racecheck initcheck synccheck)
fi
for tool in "${tools[@]}"; do
  echo "$tool"
  if [ "$tool" = plain ]; then
    "$folder/random_problems" "$rounds"
  else
    compute-sanitizer --tool "$tool" --error-exitcode 1 "$folder/random_problems" "$rounds"
  fi
done
