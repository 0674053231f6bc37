"""Lets every allocation of a call fail, one after the other; in a process of its own."""

import contextlib
import ctypes
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tailops import kernels
from tailops._options import TailOptions

EVER = 2**62
# (shape, axis) that between them reach what allocates: one large group, small groups side by side,
# columns, short rows; and enough elements for several threads.
SHAPES = [((70_000,), None), ((64, 1024), 1), ((3000, 24), 0), ((9000, 8), 1)]
RANGE = (0.2, 0.9)


@contextlib.contextmanager
def failing(first: int, last: int) -> Iterator[None]:
    """Our allocations of these numbers fail."""
    ctypes.CDLL(None).fail_allocations(ctypes.c_long(first), ctypes.c_long(last))
    try:
        yield
    finally:
        ctypes.CDLL(None).stop_failing()


def sweep(of: Callable[[int], Callable[[], Any]], error: Any, message: str, leaps: int = 8) -> str:
    """Calls `of(n)()` with the n-th allocation failing, then with all from the n-th on.

    Until none is left to fail; of many, with leaps. What fails is to be `error`, with `message` in
    one at least. After it the same call is to give what it gives where nothing fails.

    Returns:
        How many calls failed, and how many allocations one has.
    """
    usual = of(-1)
    with failing(EVER, EVER):
        usual()
    allocations = ctypes.CDLL(None).allocations()
    told: list[str] = []
    for ever in (False, True):
        n = 0
        while n < allocations:
            call = of(2 * n + ever)
            found = None
            try:
                with failing(n, EVER if ever else n):
                    found = call()
            except error as problem:
                told.append(str(problem))
            expected = call()
            if found is not None:
                np.testing.assert_array_equal(found, expected)
            n += 1 + n // leaps
    assert any(re.search(message, text) for text in told), told
    return f"{len(told)} calls failed; a call has {allocations} allocations"


def data(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """y_true and y_pred."""
    return np.zeros(shape, np.float32), np.random.default_rng(0).normal(size=shape).astype("f4")


def options_of(n: int, axis: int | None, **others: Any) -> TailOptions:
    """Others for every n: an op of its own."""
    return TailOptions(0.5 + 1e-4 * n, axis=axis, **others)


def right(options: TailOptions, y: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The loss and its gradient, from the kernels."""
    loss, state = kernels.forward(*y, options, reduction="mean")
    return np.append(
        kernels.backward(np.ones_like(loss), *y, state, options, reduction="mean"), loss
    )


def right_mean(x: np.ndarray, axis: int | None, threads: int = 1) -> np.ndarray:
    """A range mean and its gradient, from the kernels."""
    found, state = kernels.range_mean_forward(x, RANGE, "between", axis, threads=threads)
    upstream = np.ones_like(found)
    slope = kernels.range_mean_gradient(upstream, x, state, axis, threads=threads)
    return np.append(slope, found)


def numpy_border() -> None:
    """pybind11, and threads of its own."""
    for shape, axis in SHAPES:
        y = data(shape)

        def loss(n: int, y: Any = y, axis: Any = axis) -> Callable[[], Any]:
            options = options_of(n, axis)

            def call() -> np.ndarray:
                found, state = kernels.forward(*y, options, reduction="mean", threads=3)
                upstream = np.ones_like(found)
                slope = kernels.backward(upstream, *y, state, options, reduction="mean", threads=3)
                return np.append(slope, found)

            return call

        def selection(_: int, x: Any = y[1], axis: Any = axis) -> Callable[[], Any]:
            def call() -> np.ndarray:
                value, state = kernels.select_forward(x, [0.5, 0.9], axis=axis, threads=3)
                slope = kernels.select_backward(np.ones_like(value), x, state, axis=axis, threads=3)
                return np.append(slope, value)

            return call

        def mean(_: int, x: Any = y[1], axis: Any = axis) -> Callable[[], Any]:
            def call() -> np.ndarray:
                return right_mean(x, axis, threads=3)

            return call

        message = r"(forward|backward|select|range_mean): out of memory .* for \d+ elements"
        for what in (loss, selection, mean):
            print(shape, sweep(what, MemoryError, message))


def tensorflow_border(jit_compile: bool | None = None) -> None:
    """Eager ops, each with a kernel of its own; or functions, traced and compiled anew."""
    import tensorflow as tf

    from tailops import ops
    from tailops._tensorflow.range_mean import range_mean

    def made(step: Callable[[], Any]) -> Callable[[], Any]:
        if jit_compile is None:
            return step
        return tf.function(step, jit_compile=jit_compile, autograph=False)

    # While Python traces it asks for a little in C++ as well.
    errors = (tf.errors.ResourceExhaustedError, MemoryError)
    message = {
        # Which one fails is luck: a gradient op's first input may be a scalar, float[].
        None: r"Tailops>\w+: out of memory \(.*\) for inputs float\[",
        False: r"Tailops>\w+: out of memory|shape inference: out of memory",
        True: r"tailops_\w+: out of memory \(.*\) for an input F32\(\d+",
    }[jit_compile]
    leaps = 8 if jit_compile is None else 3
    for shape, axis in SHAPES if jit_compile is None else SHAPES[2:3]:
        y = data(shape)
        targets, x = map(tf.constant, y)

        def loss(n: int, axis: Any = axis, targets: Any = targets, x: Any = x) -> Callable[[], Any]:
            options = options_of(n, axis)

            def step() -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    found = ops.tail_loss(targets, x, options, reduction="mean")
                return tape.gradient(found, x), found

            def call() -> np.ndarray:
                return np.append(*made(step)())

            return call

        def selection(_: int, axis: Any = axis, x: Any = x) -> Callable[[], Any]:
            def step() -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    found = ops.quantile(x, [0.5, 0.9], axis=axis)
                return tape.gradient(found, x), found

            def call() -> np.ndarray:
                return np.append(*made(step)())

            return call

        def mean(_: int, axis: Any = axis, x: Any = x) -> Callable[[], Any]:
            def step() -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    found = range_mean(x, RANGE, "between", axis)
                return tape.gradient(found, x), found

            def call() -> np.ndarray:
                return np.append(*made(step)())

            return call

        for what in (loss, selection, mean):
            print(shape, sweep(what, errors, message, leaps))


def union_border() -> None:
    """The steps of a union that is one share."""
    import tensorflow as tf

    from tailops._tensorflow import union

    errors = (tf.errors.ResourceExhaustedError, MemoryError)
    message = r"Tailops>Union\w+: out of memory \(.*\) for inputs "
    for shape, axis in SHAPES[::2]:
        targets, x = map(tf.constant, data(shape))
        options = TailOptions(axis=axis, method="linear")

        def loss(x: Any, targets: Any = targets, options: Any = options) -> Any:
            return union.tail_loss(targets, x, options, all_reduce=tf.identity)

        def mean(x: Any, axis: Any = axis) -> Any:
            return union.range_mean(x, RANGE, "between", axis, all_reduce=tf.identity)

        for what in (loss, mean):

            def call(what: Any = what, x: Any = x) -> np.ndarray:
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    found = what(x)
                return np.append(tape.gradient(found, x), found)

            print(shape, sweep(lambda _, call=call: call, errors, message, leaps=4))


def jax_border() -> None:
    """Executions of what JAX has compiled."""
    import jax

    from tailops.jax._range_mean import range_mean
    from tailops.jax._tail_loss import tail_loss

    errors = RuntimeError, ValueError
    for shape, axis in SHAPES:
        y = data(shape)
        options = TailOptions(axis=axis)
        compiled = jax.jit(
            jax.value_and_grad(lambda p, t, o=options: tail_loss(t, p, o, reduction="mean"))
        )
        arrays = [jax.numpy.asarray(a) for a in y]

        def call(arrays: Any = arrays, compiled: Any = compiled) -> np.ndarray:
            found, slope = compiled(arrays[1], arrays[0])
            return np.append(slope, found)

        np.testing.assert_array_equal(call(), right(options, y))
        message = "RESOURCE_EXHAUSTED: .*tailops_tail_loss.*out of memory"
        print(shape, sweep(lambda _, call=call: call, errors, message))

        means = jax.jit(
            jax.vmap(jax.value_and_grad(lambda x, a=axis: range_mean(x, RANGE, "between", a).sum()))
        )

        def call_means(x: Any = arrays[1][None], means: Any = means) -> np.ndarray:
            found, slope = means(x)
            return np.append(slope, found)

        np.testing.assert_array_equal(call_means()[:-1], right_mean(y[1], axis)[: y[1].size])
        message = "RESOURCE_EXHAUSTED: .*tailops_range_mean.*out of memory"
        print(shape, sweep(lambda _, call=call_means: call, errors, message))


if __name__ == "__main__":
    borders = {
        "numpy": numpy_border,
        "tensorflow": tensorflow_border,
        "function": lambda: tensorflow_border(False),
        "xla": lambda: tensorflow_border(True),
        "jax": jax_border,
        "union": union_border,
    }
    borders[sys.argv[1]]()
