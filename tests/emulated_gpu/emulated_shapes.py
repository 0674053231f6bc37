"""What selections and range means are emulated with: limits for each way, and shapes."""

from emulation import Limits

# A block per group; many blocks per group.
PATHS = {"block": Limits(), "digits": Limits(block_elements=1, multiprocessors=7)}


def random_shape(rng, most):
    n = int(rng.integers(1, most))
    kind = rng.integers(5)
    if kind == 0:
        return (int(rng.integers(1, 71)),)
    if kind == 1:
        return (n,)
    width = int(rng.integers(1, 40))
    return ((max(1, n // width), width), (width, max(1, n // width)), (3, max(1, n // 15), 5))[
        kind - 2
    ]
