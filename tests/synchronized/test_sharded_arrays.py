"""JAX's arrays sharded over its devices, in processes of their own: `sharded.py` checks."""

from pathlib import Path

import numpy as np
import pytest
from processes import run_script
from quick import quick

from tailops import _kernels, build_info
from tailops._options import TailOptions

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

HERE = Path(__file__).parent


@pytest.mark.parametrize("mode", quick("x32", of=["x32", "x64"]))
@pytest.mark.parametrize("devices", quick(4, of=[4, 8]))
def test_the_same_as_on_one_device(devices, mode):
    run_script(HERE / "sharded.py", devices, mode)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"round": 3}, r"round=3: must be in \[0, 3\)"),
        ({"targets": 3}, "targets=3: must be 1 or 2"),
        ({"key_bits": 16}, "key_bits=16: must be 32 or 64"),
        ({"key_bits": 64}, "key_bits=64: must be 32 for F32"),
        ({"columns": 7}, "counts of 56 bytes: must have 16392"),
    ],
)
def test_errors_inside_a_handler(changed, message):
    """Python lets none of these through: a call that is made by hand."""
    from tailops.jax import _custom_calls, _union_calls  # noqa: F401

    given = {"round": 0, "targets": 1, "key_bits": 32} | changed
    columns = given.pop("columns", 2049)
    attributes = _custom_calls.attributes_of(TailOptions(), "none", **given)
    counts = jax.ShapeDtypeStruct((1, columns, 2), np.int32)
    search = np.zeros((1, 2 * _kernels.UNION_COLUMNS), np.uint32)
    share = np.zeros(5, np.float32)
    with pytest.raises((ValueError, jax.errors.JaxRuntimeError), match=message):
        jax.ffi.ffi_call("tailops_union_histogram", counts)(share, share, search, **attributes)
