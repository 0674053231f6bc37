"""Range means and selection in forward mode, of arrays whose shards are on several devices."""

import pytest
from processes import run_python

from tailops import build_info

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

STEPS = '''
import re
import jax, numpy as np
import tailops.jax as tj
from jax.sharding import Mesh, NamedSharding, PartitionSpec

x, direction = np.random.default_rng(0).standard_normal((2, 8, 6)).astype("float32")
mesh = {mesh}
rows = NamedSharding(mesh, PartitionSpec("batch"))
of_devices = jax.device_put(x, rows), jax.device_put(direction, rows)

def is_gathered(function, *arguments):
    """Whether a device gets all of an array; that of its groups' means is small."""
    text = jax.jit(function).lower(*arguments).compile().as_text()
    return bool(re.search(r"\\[8,6\\]\\S* (all-gather|all-to-all)", text))

def steps(function):
    def moved(v, d):
        return jax.jvp(function, (v,), (d,))
    def slope(v, _):
        return jax.grad(lambda v: (function(v) ** 2).sum())(v)
    return moved, slope

def assert_close(found, expected):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

for axis in (None, 0, 1):
    for step in steps(lambda v: tj.cvar(v, 0.3, axis, synchronized=True)):
        assert_close(jax.jit(step)(*of_devices), step(x, direction))
        assert not is_gathered(step, *of_devices)
    for function in (lambda v: tj.cvar(v, 0.3, axis), lambda v: tj.quantile(v, [0.2, 0.7], axis)):
        for step in steps(function):
            assert_close(jax.jit(step)(*of_devices), step(x, direction))
            assert is_gathered(step, *of_devices)
'''
DEVICES = "--xla_force_host_platform_device_count=4"


@pytest.mark.parametrize(
    "mesh",
    [
        'Mesh(np.array(jax.devices()), ("batch",))',
        # Of explicit axes in new versions.
        'jax.make_mesh((4,), ("batch",))',
    ],
)
def test_whole_arrays(mesh):
    run_python(STEPS.format(mesh=mesh), XLA_FLAGS=DEVICES, JAX_PLATFORMS="cpu")
