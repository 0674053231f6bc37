#!/usr/bin/env bash
# Runs the GPU's tests of TensorFlow, XLA and JAX on the virtual GPU. By hand: it installs TensorFlow's and
# JAX's packages for GPUs into an environment of its own, and builds all of tailops for them.
# tensorflow.sh [FOLDER [PYTEST ARGUMENTS...]]: build/virtual_gpu of the project, if none is named.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=${CUDA_HOME:+$CUDA_HOME/bin:}$PATH:/usr/local/cuda/bin
"$here/build.sh" "${1:-$root/build/virtual_gpu}"
gpu=$(cd "${1:-$root/build/virtual_gpu}" && pwd)
shift $(($# > 0))

# What run.sh looks for, and the environment.
out=$gpu/tensorflow
mkdir -p "$out"
ln -sfn ../lib "$out/lib"
ln -sfn ../cuda "$out/cuda"
venv=$out/venv
requirement() { grep "^$1" "$root/requirements/dev.txt"; }
if [ ! -e "$venv/complete" ]; then
  "${PYTHON:-python3}" -m venv "$venv"
  pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
  "${pip[@]}" -r "$root/requirements/build.txt" "$(requirement tensorflow)" "$(requirement jax)" \
    "$(requirement pytest==)"
  # Without NVIDIA's libraries, which these would bring: the virtual GPU has what is needed of them.
  jax=$("$venv/bin/python" -c 'import jax; print(jax.__version__)')
  "${pip[@]}" --no-deps "jax-cuda12-plugin==$jax" "jax-cuda12-pjrt==$jax"
  touch "$venv/complete"
fi
export PYTHON=$venv/bin/python
log=$out/build.log
settings=(build-dir="$out/build" cmake.define.TAILOPS_CUDA=ON cmake.define.TAILOPS_CUDA_RUNTIME="$gpu/lib"
  cmake.define.CMAKE_CUDA_ARCHITECTURES=80-virtual)
PATH=$venv/bin:$PATH CMAKE_BUILD_PARALLEL_LEVEL=${JOBS:-$(nproc)} "$PYTHON" -m pip install --verbose \
  --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall \
  "${settings[@]/#/--config-settings=}" "$root" >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }

# Beside the tests there is no tailops: it is the one that was installed.
rm -rf "$out/tests"
mkdir "$out/tests"
cp -r "$root"/{tests,conftest.py,pyproject.toml} "$out/tests"
cd "$out/tests"
# TensorFlow's own kernels have PTX for 9.0 and nothing before.
export TAILOPS_TEST_GPU=1 VIRTUAL_GPU_CAPABILITY=${VIRTUAL_GPU_CAPABILITY:-90} TF_CPP_MIN_LOG_LEVEL=2
failed=0
run() { "$here/run.sh" "$out" python "$@"; }
tests() { # NAME PYTEST ARGUMENTS...
  local name=$1 began=$SECONDS status=0
  shift
  # What the virtual GPU complains of must not be taken for the tests' own output.
  run -m pytest -q -rf --tb=short --capture=sys -p no:cacheprovider "$@" \
    >"$out/$name.log" 2>"$out/$name.complaints" || status=1
  local complaints
  complaints=$(grep -c '^virtual GPU: ' "$out/$name.complaints") || true
  [ "$complaints" = 0 ] || grep -m 5 '^virtual GPU: ' "$out/$name.complaints"
  [ $status = 0 ] || tail -n 40 "$out/$name.log"
  echo "$name: $(tail -n 1 "$out/$name.log"); $complaints complaints; $((SECONDS - began)) s with its start"
  [ $status = 0 ] && [ "$complaints" = 0 ] || failed=1
}

run - 2>"$out/versions.log" <<'PROGRAM' || { cat "$out/versions.log" >&2; exit 1; }
import jax
import tensorflow as tf

import tailops

built = {name: tailops.build_info()[name] for name in ("tensorflow", "cuda", "xla", "jax")}
print("tailops", tailops.__version__, built)
build = tf.sysconfig.get_build_info()
versions = build["cuda_version"], build["cudnn_version"]
print("TensorFlow", tf.__version__, "of CUDA", *versions, tf.config.list_physical_devices("GPU"))
print("JAX", jax.__version__, jax.devices())
assert tf.config.list_physical_devices("GPU") and jax.default_backend() == "gpu"
PROGRAM
if [ $# -gt 0 ]; then
  tests tests "$@"
else
  tests tensorflow tests/gpu/tensorflow
  tests unions tests/synchronized/test_union_of_losses.py tests/synchronized/test_union_of_ranges.py
  tests windows tests/windows/test_remember.py tests/windows/test_windowed_losses.py
  tests jax tests/gpu/kernels/test_gpu_jax.py
fi
exit $failed
