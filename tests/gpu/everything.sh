#!/usr/bin/env bash
# All that only a GPU can show, what matters most first, for machines that are lent for minutes: each
# step ends after its time, the next begins, and what was written stays. Arguments: the folder of the
# build (see build.sh), a folder for logs and results, and a factor for the times.
set -uo pipefail
site=${1:?the folder of the build} out=${2:?a folder for logs and results} factor=${3:-1}
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$site" "$out"
site=$(realpath "$site") out=$(realpath "$out")
failed=()

step() {
  local name=$1 seconds=$(($2 * factor)) began=$SECONDS status
  shift 2
  timeout "$seconds" "$@" > "$out/$name.log" 2>&1
  status=$?
  echo "$name: $([ $status = 0 ] && echo passed || echo "status $status") after $((SECONDS - began)) s"
  [ $status = 0 ] || { failed+=("$name"); tail -n 25 "$out/$name.log"; }
  return $status
}

pytest() { (cd "$site" && TAILOPS_TEST_GPU=1 exec "$python" -m pytest -q -x --durations=5 "$@"); }
bench() { (cd "$site" && exec "$python" -m "$@"); }
export -f pytest bench
export site python

nvidia-smi > "$out/gpu.log" 2>&1
step build 180 env PYTHON="$python" "$root/tests/gpu/build.sh" "$site" || exit 1
libraries="$site/tailops"
step problems 60 "$root/tests/gpu/sanitize/run.sh" "$libraries" 200 plain
step test 150 bash -c 'pytest tests/gpu/kernels -m "not slow"'
step bench 120 bash -c "bench bench.gpu --output '$out/gpu.json'"
step memcheck 60 "$root/tests/gpu/sanitize/run.sh" "$libraries" 12 memcheck
step racecheck 60 "$root/tests/gpu/sanitize/run.sh" "$libraries" 6 racecheck
step synccheck 40 "$root/tests/gpu/sanitize/run.sh" "$libraries" 6 synccheck
step initcheck 40 "$root/tests/gpu/sanitize/run.sh" "$libraries" 6 initcheck
step bench_selection 60 bash -c "bench bench.gpu_selection --output '$out/gpu-selection.json'"
step slow_test 60 bash -c 'pytest tests/gpu/kernels -m slow'

[ ${#failed[@]} = 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
