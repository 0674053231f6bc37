"""Calls that XLA splits over the devices which have the shards of an array: nothing is gathered.

A dimension that no group is along may be split as it is: each device has groups of its own, and the
call is that of one device. Where groups are split, they are the union of the devices' shares, and
what the devices add up are the counts of `tailops._synchronized`. What cannot be split is whole on
every device, as it is without this: parts of different sizes, a device without kernels for unions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np
from jax.custom_batching import custom_vmap
from jax.experimental.custom_partitioning import custom_partitioning
from jax.sharding import Mesh

from tailops._axes import shape_of_groups
from tailops._build import build_info
from tailops.jax._shards import Names, sharding_of, split_of
from tailops.jax._targets import undifferentiated

# What an array has: a number for each element, for each group, a state for each, or neither.
ELEMENTS, GROUPS, STATES, WHOLE = "elements", "groups", "states", "whole"


def have_unions(mesh: Mesh) -> bool:
    """Whether the mesh's devices have kernels for shares of a group."""
    platforms = {"cpu", "gpu"} if build_info()["cuda"] else {"cpu"}
    return all(device.platform in platforms for device in mesh.devices.flat)


def _without(split: tuple[Any, ...], axis: int | None, kind: str) -> tuple[Any, ...]:
    """Of a dimension of an array of this kind, what is said of those of the elements."""
    if kind == ELEMENTS:
        return split
    groups = shape_of_groups(split, axis)
    return {GROUPS: groups, STATES: (*groups, ()), WHOLE: ((),)}[kind]


@dataclass(frozen=True)
class Call:
    """Arrays in, arrays out, of one device or of many.

    Attributes:
        of_one: What it computes: of the static `axis` and `how`, and of the arrays.
        of_share: The same on each of the devices that share groups, of `axis`, `how`, the names of
            the mesh's axes along which they do, and of the arrays' parts.
        operands: Of which kinds the arrays are; those beyond are masks, of elements.
        results: The same.
        main: Which operand decides how all are split, if it is.
    """

    of_one: Callable[..., tuple[Any, ...]]
    of_share: Callable[..., tuple[Any, ...]]
    operands: tuple[str, ...]
    results: tuple[str, ...]
    main: int

    def __call__(self, axis: int | None, how: Any, *arrays: Any) -> Any:
        """The results.

        Args:
            axis: Along which groups are, counted from the front; None: all is one.
            how: What else is static; hashable.
            arrays: As `operands` says.
        """
        return undifferentiated(partial(self._compiled, axis, how), *arrays)

    @cached_property
    def _compiled(self) -> Any:
        # Outside of `jit`, too, it is one program for all devices.
        return jax.jit(self._mapped, static_argnums=(0, 1))

    def _mapped(self, axis: int | None, how: Any, *arrays: Any) -> Any:
        @custom_vmap  # type: ignore[untyped-decorator]
        def call(*given: Any) -> Any:
            return self._partitioned(axis, how, *given)

        @call.def_vmap  # type: ignore[untyped-decorator]
        def _(_: int, batched: Any, *given: Any) -> Any:
            axes = [0 if of_slices else None for of_slices in batched]
            results = jax.vmap(partial(self.of_one, axis, how), axes)(*given)
            return results, (True,) * len(self.results)

        return call(*arrays)

    @cached_property
    def _partitioned(self) -> Any:
        call = custom_partitioning(self.of_one, static_argnums=(0, 1))
        call.def_partition(
            partition=self._partition,
            infer_sharding_from_operands=self._inferred,
            # XLA may split by a part of an axis, which JAX cannot decode.
            decode_shardings=False,
            sharding_rule=self._rule,
        )
        return call

    def _kinds(self, count: int) -> tuple[str, ...]:
        return self.operands + (ELEMENTS,) * (count - len(self.operands))

    def _rule(self, axis: int | None, _: Any, __: Mesh, operands: Any, ___: Any) -> str:
        """For Shardy: which dimensions are the same."""
        kinds = self._kinds(len(operands))
        names = tuple(f"d{i}" for i in range(len(operands[self.main].shape)))

        def sides(kinds: Any, side: str) -> str:
            ends = {STATES: f" {side}s", WHOLE: f"{side}w"}
            found = []
            for number, kind in enumerate(kinds):
                shown = () if kind == WHOLE else _without(names, axis, kind)
                end = ends[kind] + str(number) if kind in ends else ""
                found.append(" ".join(name for name in shown if name) + end)
            return ", ".join(found)

        return f"{sides(kinds, 'i')} -> {sides(self.results, 'o')}"

    def _split(self, axis: int | None, mesh: Mesh, arrays: Any) -> tuple[Names, ...]:
        """How the elements are: as of the operand that is split into most."""
        kinds = self._kinds(len(arrays))
        order = [self.main, *(i for i in range(len(arrays)) if i != self.main)]
        elements = [arrays[i] for i in order if kinds[i] == ELEMENTS]
        known = [split for x in elements if (split := split_of(x, mesh)) is not None]
        nothing: tuple[Names, ...] = ((),) * len(arrays[self.main].shape)

        def parts(split: tuple[Names, ...]) -> int:
            return int(np.prod([mesh.shape[name] for names in split for name in names]))

        split = max(known, key=parts, default=nothing)
        if have_unions(mesh):
            return split
        return tuple(() if axis in (None, i) else names for i, names in enumerate(split))

    def _shardings(self, axis: int | None, mesh: Mesh, arrays: Any) -> tuple[Any, Any, Any]:
        split = self._split(axis, mesh, arrays)
        operands, results = (
            tuple(sharding_of(mesh, _without(split, axis, kind)) for kind in kinds)
            for kinds in (self._kinds(len(arrays)), self.results)
        )
        return split, operands, results

    def _inferred(
        self, axis: int | None, _: Any, mesh: Mesh, arrays: Any, __: Any
    ) -> tuple[Any, ...]:
        """For JAX's partitioner before Shardy."""
        inferred: tuple[Any, ...] = self._shardings(axis, _known(mesh, arrays), arrays)[2]
        return inferred

    def _partition(self, axis: int | None, how: Any, mesh: Mesh, arrays: Any, _: Any) -> Any:
        mesh = _known(mesh, arrays)
        split, operands, results = self._shardings(axis, mesh, arrays)
        shared = split if axis is None else split[axis : axis + 1]
        names = tuple(name for names in shared for name in names)
        of_device = partial(self.of_share, axis, how, names) if names else None
        return mesh, of_device or partial(self.of_one, axis, how), results, operands


def _known(mesh: Mesh, arrays: Any) -> Mesh:
    """The mesh, or one of all devices where XLA knows them and JAX has no names for them."""
    if not mesh.empty:
        return mesh
    devices = sorted(arrays[0].sharding.device_set, key=lambda device: device.id)
    return Mesh(np.array(devices), ("devices",))
