#!/usr/bin/env bash
# Random problems under compute-sanitizer's four tools. Arguments: the folder of the libraries, as
# built by ../build.sh, and how many rounds.
set -euo pipefail
PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin
libraries=${1:?the folder of the libraries}
rounds=${2:-12}
here=$(cd "$(dirname "$0")" && pwd)
for tool in nvcc compute-sanitizer; do
  command -v "$tool" > /dev/null || { echo "needs $tool, of the CUDA toolkit, in PATH"; exit 1; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
nvcc -std=c++17 -O1 -lineinfo -Xcompiler=-ffp-contract=off "-I$here/../../../csrc" \
  "$here/random_problems.cu" "$libraries/libtailops_cuda.so" "$libraries/libtailops_kernels.so" \
  -Xlinker=-rpath,"$libraries" -o "$folder/random_problems"
echo "no tool"
"$folder/random_problems" $((rounds * 20))
for tool in memcheck racecheck initcheck synccheck; do
  echo "$tool"
  compute-sanitizer --tool "$tool" --error-exitcode 1 "$folder/random_problems" "$rounds"
done
