"""Unions of shares on a GPU, for the checks of problems.py and range_means.py.

Each step of each share is the kernels'; in between NumPy adds up int32 parts, as JAX does.
"""

import arrays
import numpy as np

from tailops import _kernels, cuda, kernels
from tailops._device_arrays import library_of
from tailops._options import TailOptions

COUNT_PARTS = 2


def address(array):
    return library_of("array", array).address(array)


def stream_of(array):
    return library_of("array", array).stream()


def garbage(shape, dtype):
    return arrays.to_device(np.full(shape, 77).astype(dtype))


class Share:
    """What a replica has, on the device, and the kernels for it."""

    def __init__(self, y_true, y_pred, mask, options):
        self.dtype, self.shape = y_pred.dtype, y_pred.shape
        given = [y_true, y_pred] if mask is None else [y_true, y_pred, mask]
        self.arrays = [arrays.to_device(array) for array in given]
        places = [address(array) for array in self.arrays] + [0]
        self.kernels = _kernels.CudaShare(
            self.dtype.name,
            *places[:3],
            list(self.shape),
            options.axis,
            options.for_kernels(),
            stream_of(self.arrays[1]),
        )
        self.workspace = garbage(self.kernels.workspace() + 1, "uint8")


def added_up(of_shares, kind, parts):
    """The sum of what the shares have, in parts; `kind` names the functions that turn them."""
    write = getattr(_kernels, f"cuda_write_{kind}")
    size, total = of_shares[0].size, 0
    for array in of_shares:
        in_parts = garbage((size, parts), "int32")
        write(address(array), size, address(in_parts), stream_of(array))
        total = total + arrays.to_host(in_parts)
    together = arrays.to_device(total.astype(np.int32))
    numbers = garbage(of_shares[0].shape, arrays.to_host(of_shares[0]).dtype)
    read = getattr(_kernels, f"cuda_read_{kind}")
    read(address(together), size, address(numbers), stream_of(numbers))
    return numbers


def added_numbers(of_shares):
    return added_up(of_shares, "numbers", _kernels.NUMBER_PARTS)


class Union:
    """Shares of arrays that are cut along the first axis."""

    def __init__(self, y_true, y_pred, mask, options, cuts):
        given = [y_true, y_pred] if mask is None else [y_true, y_pred, mask]
        cut = list(zip(*(np.split(array, cuts) for array in given), strict=True))
        self.cuts = cuts
        self.shares = [Share(*share, *[None] * (3 - len(share)), options) for share in cut]
        self.key_bits = 64 if y_pred.dtype == np.float64 else 32
        geometry = _kernels.Geometry(list(y_pred.shape), options.axis, "none")
        self.groups = geometry.groups
        self.one = self.shares[0].kernels

    def searched(self, targets, descend):
        """By descend(round, counts, before, after); `rounds`: each, and its search before."""
        search = garbage((self.groups, _kernels.UNION_COLUMNS), "int64")
        self.rounds = []
        for number in range(_kernels.union_rounds(self.key_bits)):
            round_ = _kernels.CudaUnionRound(self.key_bits, number, targets)
            self.rounds.append((round_, search))
            of_shares = []
            for share in self.shares:
                of_shares.append(garbage((self.groups, round_.columns), "int64"))
                share.kernels.histogram(round_, address(search), address(of_shares[-1]))
            counts = added_up(of_shares, "counts", COUNT_PARTS)
            after = garbage((self.groups, _kernels.UNION_COLUMNS), "int64")
            descend(round_, address(counts), address(search), address(after))
            search = after
        return search

    def together(self, of_shares):
        return np.concatenate([arrays.to_host(array) for array in of_shares])


def losses_on_device(problem, cuts):
    """Forward and backward of a loss that is not reduced."""
    options = problem.options
    union = Union(problem.y_true, problem.y_pred, problem.mask, options, cuts)
    state = garbage((union.groups, _kernels.STATE_COLUMNS), "float64")

    def forward():
        targets = _kernels.union_targets(options.for_kernels())
        search = union.searched(targets, union.one.descend)
        union.one.states(address(search), address(state))
        losses = [garbage(share.shape, share.dtype) for share in union.shares]
        for share, loss in zip(union.shares, losses, strict=True):
            share.kernels.losses(address(state), address(loss))
        rows = arrays.to_host(state).reshape(union.groups, -1)
        return union.together(losses), rows.copy().view(kernels.STATE).reshape(-1)

    def backward(upstream, _):
        arriving = [arrays.to_device(u) for u in np.split(upstream, union.cuts)]
        slopes = 0
        if options.gradient == "exact":
            of_shares = []
            for share, u in zip(union.shares, arriving, strict=True):
                of_shares.append(garbage((union.groups, _kernels.SLOPE_COLUMNS), "float64"))
                share.kernels.slopes(
                    address(u), address(state), address(of_shares[-1]), address(share.workspace)
                )
            of_union = added_numbers(of_shares)
            slopes = address(of_union)
        gradients = [garbage(share.shape, share.dtype) for share in union.shares]
        for share, u, to in zip(union.shares, arriving, gradients, strict=True):
            share.kernels.gradient(
                address(u), address(state), slopes, address(to), address(share.workspace)
            )
        return union.together(gradients)

    return forward, backward


def means_on_device(case, cuts):
    """Forward and backward of a range mean."""
    options = TailOptions(error="value", axis=case.axis)
    union = Union(case.values, case.values, case.mask, options, cuts)
    bounds = arrays.to_device(np.array(case.bounds))
    state = garbage((union.groups, _kernels.RANGE_COLUMNS), "float64")

    def forward():
        search = union.searched(
            _kernels.range_targets(case.kind),
            lambda *call: union.one.range_descend(case.kind, address(bounds), *call),
        )
        of_shares = []
        for share in union.shares:
            of_shares.append(garbage((union.groups, _kernels.RANGE_SUM_COLUMNS), "float64"))
            share.kernels.range_sums(
                case.kind,
                list(case.bounds),
                address(search),
                address(of_shares[-1]),
                address(share.workspace),
            )
        sums = added_numbers(of_shares)
        mean = garbage(case.shape_of_groups, case.values.dtype)
        union.one.range_mean(
            case.kind,
            address(bounds),
            address(search),
            address(sums),
            address(mean),
            address(state),
        )
        return arrays.to_host(mean).reshape(case.shape_of_groups), arrays.to_host(state)

    def backward(upstream, _):
        arriving = arrays.to_device(upstream).reshape(case.shape_of_groups)
        gradients = []
        for share in union.shares:
            if 0 in share.shape:
                gradients.append(arrays.to_device(np.zeros(share.shape, share.dtype)))
                continue
            mask = share.arrays[2] if len(share.arrays) > 2 else None
            values = share.arrays[1]
            gradients.append(cuda.range_mean_backward(arriving, values, state, case.axis, mask))
        return union.together(gradients)

    return forward, backward
