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

        for what in (loss, selection):
            print(
                shape,
                sweep(what, MemoryError, r"(forward|select): out of memory .* for \d+ elements"),
            )


def tensorflow_border(jit_compile: bool | None = None) -> None:
    """Eager ops, each with a kernel of its own; or functions, traced and compiled anew."""
    import tensorflow as tf

    from tailops import ops

    def made(step: Callable[[], Any]) -> Callable[[], Any]:
        if jit_compile is None:
            return step
        return tf.function(step, jit_compile=jit_compile, autograph=False)

    # While Python traces it asks for a little in C++ as well.
    errors = (tf.errors.ResourceExhaustedError, MemoryError)
    message = {
        None: r"Tailops>\w+: out of memory \(.*\) for inputs float\[\d+",
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

        for what in (loss, selection):
            print(shape, sweep(what, errors, message, leaps))


def jax_border() -> None:
    """Executions of what JAX has compiled."""
    import jax

    from tailops.jax._tail_loss import tail_loss

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
        print(shape, sweep(lambda _, call=call: call, (RuntimeError, ValueError), message))


if __name__ == "__main__":
    borders = {
        "numpy": numpy_border,
        "tensorflow": tensorflow_border,
        "function": lambda: tensorflow_border(False),
        "xla": lambda: tensorflow_border(True),
        "jax": jax_border,
    }
    borders[sys.argv[1]]()
