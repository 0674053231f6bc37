"""JAX's arrays sharded under `jit` and in Keras's `fit`, in processes of their own."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from processes import run_script
from quick import quick

from tailops import build_info

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

HERE = Path(__file__).parent


@pytest.mark.extended
@pytest.mark.parametrize(("devices", "mode"), [(4, "x32"), (8, "x64")])
def test_the_same_as_on_one_device(devices, mode):
    run_script(HERE / "whole_arrays.py", devices, mode)


def test_nothing_changes_on_one_device():
    """Not even what is compiled."""
    import tailops.jax as tj

    assert jax.device_count() == 1
    values = np.arange(12, dtype="float32").reshape(4, 3)
    for function in (
        lambda v, **how: tj.percentile_loss(0 * v, v, **how),
        lambda v, **how: tj.tail_weighted(v, reduction="mean", axis=0, **how),
        tj.cvar,
    ):
        texts = [
            jax.jit(partial(function, synchronized=on)).lower(values).as_text()
            for on in (False, True)
        ]
        assert texts[0] == texts[1]


@pytest.mark.parametrize("losses", quick(2, of=[2, 9]))
def test_fit_with_data_parallel(losses, tmp_path):
    flags = (
        f"--xla_force_host_platform_device_count=4 --xla_dump_to={tmp_path} "
        "--xla_dump_hlo_as_text --xla_dump_hlo_module_re=train_step"
    )
    how = {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags}
    run_script(HERE / "data_parallel.py", losses, tmp_path, **how)
