#!/usr/bin/env bash
# Builds the kernels and the Python module, without TensorFlow, for this machine's Python and GPU;
# with JAX's side where jaxlib is installed. Argument: the folder that gets them, with tests and
# benchmarks beside them: what runs there finds no other tailops. CUDA_RUNTIME: a folder with a
# libcudart.so for it, instead of NVIDIA's runtime; tests/virtual_gpu builds one. HOST_LIBRARIES: a folder
# with a build of these sources for this Python and any GPU: only the CUDA library is built, the others
# are taken from there.
set -euo pipefail
PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin
site=${1:?a folder}
python=${PYTHON:-python3}
"$python" -c '
import importlib.util, sys
needed = ("numpy", "ml_dtypes", "pybind11", "pytest")
missing = [name for name in needed if importlib.util.find_spec(name) is None]
sys.exit("%s needs %s" % (sys.executable, ", ".join(missing)) if missing else 0)
'
root=$(cd "$(dirname "$0")/../.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/pyproject.toml")
runtime=${CUDA_RUNTIME:+$(cd "$CUDA_RUNTIME" && pwd)}
cmake -S "$root" -B "$site/../cmake" -DCMAKE_BUILD_TYPE=Release -DSKBUILD_PROJECT_VERSION="$version" \
  -DPython_EXECUTABLE="$(command -v "$python")" -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" \
  -DTAILOPS_TENSORFLOW=none -DTAILOPS_CUDA=ON \
  -DTAILOPS_CUDA_RUNTIME="$runtime" \
  -DCMAKE_CUDA_ARCHITECTURES="${CUDA_ARCHITECTURES:-native}"
cmake --build "$site/../cmake" --parallel "${JOBS:-$(nproc)}" ${HOST_LIBRARIES:+--target tailops_cuda}
mkdir -p "$site"
rm -rf "$site"/{tailops,tests,bench}
cp -r "$root"/{tailops,tests,bench,conftest.py,pyproject.toml} "$site/"
rm -f "$site"/tailops/*.so
if [ -n "${HOST_LIBRARIES:-}" ]; then
  cp "$HOST_LIBRARIES"/{_kernels.*,libtailops_kernels,libtailops_jax}.so "$site/../cmake/libtailops_cuda.so" \
    "$site/tailops/"
else
  cmake --install "$site/../cmake" --prefix "$site"
fi
