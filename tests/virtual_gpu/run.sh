#!/usr/bin/env bash
# run.sh FOLDER COMMAND...: runs a command with the virtual GPU in sight that build.sh has put into the
# folder, and with the tailops that is in its site. "python" is PYTHON, python3 if that is not set.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { echo "usage: run.sh FOLDER COMMAND..." >&2; exit 2; }
out=$(cd "$1" && pwd)
shift

export LD_LIBRARY_PATH=$out/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# Autotuning measures times, which mean nothing here.
export XLA_FLAGS="--xla_gpu_cuda_data_dir=$out/cuda --xla_gpu_autotune_level=0 ${XLA_FLAGS:-}"
export TF_FORCE_GPU_ALLOW_GROWTH=true XLA_PYTHON_CLIENT_PREALLOCATE=false
export JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1

if [ "$1" = python ]; then
  shift
  # The packages of the environment without what it installs to be found first: a tailops that is
  # installed to be edited would hide the one in site.
  {
    read -r python
    read -r packages
  } < <("${PYTHON:-python3}" -c 'import sys, sysconfig
print(sys._base_executable)
print(":".join(dict.fromkeys(sysconfig.get_path(p) for p in ("purelib", "platlib"))))')
  # Where tests find each other, as pyproject.toml says it to pytest.
  tests=$out/site/tests
  tests=$tests:$tests/emulated_gpu:$tests/gpu/kernels:$tests/virtual_gpu
  export PYTHONPATH=$out/site:$here/stand_ins/python:$tests:$packages${PYTHONPATH:+:$PYTHONPATH}
  set -- "$python" "$@"
fi
exec "$@"
