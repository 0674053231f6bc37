"""One of several processes of JAX's that have a batch together; each also computes it alone.

Arguments: the port at which they meet, which one it is, and how many there are. Two devices each.
Fails by an assertion.
"""

import functools
import sys

import numpy as np
import pytest
from shares import assert_close, batch

from tailops import build_info

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from jax.sharding import Mesh, NamedSharding, PartitionSpec  # noqa: E402

from tailops import jax as tj  # noqa: E402

FUNCTIONS = {
    "a threshold": lambda v, **how: tj.tail_weighted(v, 0.9, 3.0, **how),
    "columns": lambda v, **how: tj.percentile_loss(0 * v, v, 0.8, 3.0, axis=0, **how),
    "rows": lambda v, **how: tj.tail_weighted(v, 0.6, 3.0, axis=1, **how),
    "a mean": lambda v, **how: tj.cvar(v, 0.8, **how),
}


def own_rows(array):
    """Of an array of which this process has a share: where they are, and what they hold."""
    for shard in array.addressable_shards:
        yield shard.index, np.asarray(shard.data)


def main(port, number, count):
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_num_cpu_devices", 2)
    jax.distributed.initialize(f"127.0.0.1:{port}", num_processes=count, process_id=number)
    assert (jax.process_count(), jax.device_count()) == (count, 2 * count)
    values = batch("random", "none", np.float32)[1]
    sharding = NamedSharding(Mesh(np.array(jax.devices()), ("batch",)), PartitionSpec("batch"))
    sharded = jax.make_array_from_callback(values.shape, sharding, lambda index: values[index])
    assert not sharded.is_fully_addressable
    for function in FUNCTIONS.values():

        def step(v, synchronized, function=function):
            found = functools.partial(function, synchronized=synchronized)
            return found(v), jax.grad(lambda v: jnp.sum(found(v)))(v)

        compiled = jax.jit(functools.partial(step, synchronized=True)).lower(sharded).compile()
        assert "all-gather" not in compiled.as_text()
        alone = jax.jit(functools.partial(step, synchronized=False))(jnp.asarray(values))
        for found, expected in zip(compiled(sharded), alone, strict=True):
            for index, own in own_rows(found):
                assert_close(own, np.asarray(expected)[index], 1e-6)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
