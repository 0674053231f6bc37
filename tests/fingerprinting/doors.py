"""All that fingerprints know of tailops: adapt these functions where it is rebuilt.

A door takes a problem, which is plain data, and returns arrays by name. The names stay, so that
they compare with those of an older tailops.
"""

import os

import numpy as np


def prepare():
    """Settings that must precede TensorFlow and JAX."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["KERAS_BACKEND"] = "tensorflow"

    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # not a warning for each of many functions


def instruction_sets():
    """Those that this CPU has and that can be forced."""
    from tailops import build_info

    return tuple(build_info()["instruction_sets"])


def force(instruction_set):
    """Has the kernels of the process use it, whoever calls them; returns what they used before."""
    from tailops import _kernels

    before = _kernels.instruction_set()
    _kernels.set_instruction_set(instruction_set)
    return before


def _options(problem):
    from tailops._options import TailOptions

    return TailOptions(**problem.options)


def numpy_loss(problem):
    """Loss, what a backward pass is handed, and the gradient, through NumPy."""
    from tailops import kernels
    from tailops._options import forced

    p, options = problem, _options(problem)
    how = {"reduction": p.reduction, "mask": p.mask, "threads": p.threads}
    y_true, y_pred = p.y_true.copy(), p.y_pred.copy()
    over = {"y_true": y_true, "y_pred": y_pred}.get(p.over)
    loss, state = kernels.forward(y_true, y_pred, forced(options, p.path), **how)
    upstream = p.upstream(loss.shape)
    # Last of all: it is written over an input, as TensorFlow does.
    gradient = kernels.backward(upstream, y_true, y_pred, state, options, out=over, **how)
    found = {"loss": loss, "threshold": state["threshold"].copy(), "state": state}
    return {**found, "gradient": gradient}


def numpy_selection(problem):
    """Values, what a backward pass is handed, and the gradient, through NumPy."""
    from tailops import kernels

    p = problem
    how = {"axis": p.axis, "threads": p.threads}
    value, state = kernels.select_forward(p.x, p.q, method=p.method, ignore_nan=p.ignore_nan, **how)
    found = {"value": value, "state": state}
    if p.differentiable:
        found["gradient"] = kernels.select_backward(p.upstream(value.shape), p.x, state, **how)
    return found


def tensorflow_loss(problem, jit_compile):
    """Loss and both gradients, eager or compiled by XLA."""
    import tensorflow as tf

    from tailops import ops

    p, options = problem, _options(problem)
    mask = None if p.mask is None else tf.constant(p.mask)

    def step(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch((y_true, y_pred))
            loss = ops.tail_loss(y_true, y_pred, options, reduction=p.reduction, mask=mask)
        upstream = tf.constant(p.upstream(tuple(loss.shape)))
        return loss, *tape.gradient(loss, (y_true, y_pred), output_gradients=upstream)

    call = tf.function(step, jit_compile=True) if jit_compile else step
    loss, of_true, of_pred = call(tf.constant(p.y_true), tf.constant(p.y_pred))
    return {"loss": loss.numpy(), "gradient": of_pred.numpy(), "of_true": of_true.numpy()}


def tensorflow_selection(problem, jit_compile):
    """Values and gradient, eager or compiled by XLA."""
    import tensorflow as tf

    from tailops import ops

    p = problem

    def select(x):
        if p.by_rank:  # one rank, of the last axis
            x = tf.reshape(x, [-1]) if p.axis is None else _with_last(tf, x, p.axis)
            return ops.nth_element(x, int(p.q[0]), reverse=p.method == "rank_from_top")
        function = ops.nanquantile if p.ignore_nan else ops.quantile
        return function(x, list(p.q), axis=p.axis, method=p.method)

    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = select(x)
        if not p.differentiable:
            return (value,)
        upstream = tf.constant(p.upstream(tuple(value.shape)))
        return value, tape.gradient(value, x, output_gradients=upstream)

    call = tf.function(step, jit_compile=True) if jit_compile else step
    found = call(tf.constant(p.x))
    return dict(zip(("value", "gradient"), (array.numpy() for array in found), strict=False))


def _with_last(tf, x, axis):
    axes = list(range(x.shape.rank))
    axes.append(axes.pop(axis))
    return tf.transpose(x, axes)


def has_jax():
    """Whether the losses can be called from JAX here."""
    import importlib.util

    from tailops import build_info

    return importlib.util.find_spec("jax") is not None and bool(build_info()["jax"])


def jax_loss(problem):
    """Loss and both gradients under `jax.jit`."""
    import jax

    from tailops.jax import tail_loss

    p, options = problem, _options(problem)

    @jax.jit
    def step(y_true, y_pred):
        def of(y_true, y_pred):
            return tail_loss(y_true, y_pred, options, reduction=p.reduction, mask=p.mask)

        loss, pull = jax.vjp(of, y_true, y_pred)
        return loss, *pull(jax.numpy.asarray(p.upstream(loss.shape)))

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        found = [np.asarray(array) for array in step(p.y_true, p.y_pred)]
    finally:
        jax.config.update("jax_enable_x64", before)
    return dict(zip(("loss", "of_true", "gradient"), found, strict=True))


def doors(problem):
    """Every way from a framework to this problem, by name: functions of the problem."""
    is_loss = hasattr(problem, "options")
    tensorflow = tensorflow_loss if is_loss else tensorflow_selection
    found = {
        "tensorflow": lambda p: tensorflow(p, jit_compile=False),
        "xla": lambda p: tensorflow(p, jit_compile=True),
    }
    if is_loss and has_jax():
        found["jax"] = jax_loss
    return found


def place():
    """Which tailops it is."""
    import tailops

    return tailops.__file__
