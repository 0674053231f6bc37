"""How an array is split over a mesh: by which of its axes each dimension is.

XLA's partitioner says it as tiles of devices. Which names those are is found by what each device
has, so that nothing here depends on how XLA writes them.
"""

import itertools
from typing import Any

import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

Names = tuple[str, ...]


def _pieces(sharding: Any, shape: tuple[int, ...], dimension: int) -> dict[Any, tuple[Any, ...]]:
    found = sharding.devices_indices_map(shape)
    return {device: slices[dimension].indices(shape[dimension]) for device, slices in found.items()}


def _names_of(sharding: Any, shape: tuple[int, ...], mesh: Mesh, dimension: int) -> Names | None:
    """The axes that this dimension is split by; None: it is by no axes of the mesh."""
    wanted = _pieces(sharding, shape, dimension)
    for count in range(len(mesh.axis_names) + 1):
        for names in itertools.permutations(mesh.axis_names, count):
            parts = int(np.prod([mesh.shape[name] for name in names]))
            if shape[dimension] % parts:
                continue
            spec = PartitionSpec(*[None] * dimension, names or None)
            if _pieces(NamedSharding(mesh, spec), shape, dimension) == wanted:
                return names
    return None


def split_of(array: Any, mesh: Mesh) -> tuple[Names, ...] | None:
    """The axes that each dimension of an array is split by.

    Args:
        array: Of a shape and a sharding.
        mesh: What the axes are of.

    Returns:
        None where that cannot be said: parts differ in size, or are not of whole axes.

    Example:
        >>> import jax
        >>> mesh = Mesh(np.array(jax.devices()[:1]), ("batch",))
        >>> whole = NamedSharding(mesh, PartitionSpec())
        >>> split_of(jax.ShapeDtypeStruct((4, 3), np.float32, sharding=whole), mesh)
        ((), ())
    """
    shape = tuple(array.shape)
    if array.sharding is None or mesh.empty or 0 in shape:
        return None
    try:
        names = [_names_of(array.sharding, shape, mesh, d) for d in range(len(shape))]
    except ValueError:  # JAX has no slices of parts that differ in size
        return None
    known = tuple(one for one in names if one is not None)
    return known if len(known) == len(shape) else None


def sharding_of(mesh: Mesh, split: tuple[Names, ...]) -> NamedSharding:
    """The other way round."""
    return NamedSharding(mesh, PartitionSpec(*(names or None for names in split)))
