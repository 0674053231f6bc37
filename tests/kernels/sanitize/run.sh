#!/usr/bin/env bash
# Random problems under the address, undefined-behaviour and thread sanitizers, and under valgrind
# where it is installed. Argument: how many rounds.
set -euo pipefail
rounds=${1:-400}
here=$(cd "$(dirname "$0")" && pwd)
sources=$here/../../../csrc
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# build NAME FLAGS...: the program, with the loops of each instruction set.
build() {
  local name=$1 targets=(common:) defined=()
  shift
  if [ "$(uname -m)" = x86_64 ]; then
    targets+=("avx2:-mavx2 -mfma -mf16c")
    targets+=("avx512:-mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c")
    defined=(-DTAILOPS_X86_TARGETS)
  fi
  local common=("${CXX:-g++}" -std=c++17 -ffp-contract=off "-I$sources" "$@") objects=()
  for target in "${targets[@]}"; do
    objects+=("$folder/$name.${target%%:*}.o")
    # shellcheck disable=SC2086  # the flags are several
    "${common[@]}" -fno-math-errno -Wno-psabi ${target#*:} "-DTAILOPS_TARGET=${target%%:*}" \
      -c "$sources/cpu/simd/loops_target.cc" -o "${objects[-1]}"
  done
  "${common[@]}" "${defined[@]}" "$sources"/{core,call,cpu/loss,cpu/quantile,cpu/range_mean,cpu/union}/*.cc "$sources/cpu/simd/dispatch.cc" \
    "$here/random_problems.cc" "${objects[@]}" -pthread -o "$folder/$name"
}

echo "address and undefined behaviour"
build address -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
"$folder/address" "$rounds"

echo "threads"
build thread -O1 -g -fsanitize=thread
"$folder/thread" $((rounds / 4))

if command -v valgrind > /dev/null; then
  echo "valgrind"
  build plain -O2 -g
  valgrind --quiet --error-exitcode=1 "$folder/plain" $((rounds / 40))
fi
