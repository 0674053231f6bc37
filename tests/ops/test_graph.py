"""The op in graphs: shapes, dtypes, what a training step is made of."""

import numpy as np
import pytest
import tensorflow as tf
from processes import run_python

from tailops import _kernels, kernels, ops, reference
from tailops._options import TailOptions
from tailops._tensorflow.attributes import attributes_of
from tailops._tensorflow.library import library


def pair(n, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 1)).astype(dtype), rng.standard_normal((n, 1)).astype(dtype)


@pytest.mark.parametrize("signature", [(None, 1), (None, None), None])
def test_unknown_static_shapes_and_batches_of_any_size(signature):
    spec = tf.TensorSpec(signature, tf.float32)

    @tf.function(input_signature=[spec, spec])
    def loss(y_true, y_pred):
        return ops.tail_loss(y_true, y_pred, reduction="mean")

    for n in (1, 7, 32, 5000):
        y_true, y_pred = pair(n)
        expected = kernels.forward(y_true, y_pred, reduction="mean").loss
        assert loss(y_true, y_pred).numpy() == expected


def test_batches_of_changing_size_from_tf_data():
    y_true, y_pred = pair(1000)
    data = tf.data.Dataset.from_tensor_slices((y_true, y_pred)).batch(96)

    @tf.function
    def total(data):
        result = tf.constant(0.0)
        for t, p in data:
            result += ops.tail_loss(t, p, reduction="sum")
        return result

    expected = sum(
        float(kernels.forward(y_true[i : i + 96], y_pred[i : i + 96], reduction="sum").loss)
        for i in range(0, 1000, 96)
    )
    np.testing.assert_allclose(total(data), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("reduction", "shape", "expected"),
    [
        ("none", (None, 3), (None, 3)),
        ("per_sample", (None, 3), (None,)),
        ("per_sample", (4, 5, 6), (4, 5)),
        ("per_sample", (None,), (None,)),
        ("per_sample", (), ()),
        ("mean", (None, 3), ()),
        ("sum", (4, 3), ()),
    ],
)
def test_static_output_shape(reduction, shape, expected):
    @tf.function(input_signature=[tf.TensorSpec(shape)] * 2)
    def loss(y_true, y_pred):
        return ops.tail_loss(y_true, y_pred, reduction=reduction)

    assert loss.get_concrete_function().output_shapes.as_list() == list(expected)


@pytest.mark.parametrize(
    ("axis", "shape", "groups"),
    [
        (None, (None, 3), 1),
        (None, None, 1),
        (0, (None, 3), 3),
        (-2, (None, 3, 2), None),
        (1, (4, None, 2), 8),
        (-1, (5,), 1),
        (0, None, None),
    ],
)
def test_static_shape_of_the_state(axis, shape, groups):
    @tf.function(input_signature=[tf.TensorSpec(shape)] * 2)
    def state(y_true, y_pred):
        return ops.tail_loss(y_true, y_pred, TailOptions(axis=axis)).op.outputs[1]

    assert state.get_concrete_function().output_shapes.as_list() == [groups, _kernels.STATE_COLUMNS]


def test_the_state_is_that_of_the_kernels():
    y_true, y_pred = np.random.default_rng(0).standard_normal((2, 20, 3))
    options = TailOptions(0.77, 3.0, method="linear", axis=1)
    inputs = {
        "y_true": y_true,
        "y_pred": y_pred,
        "numbers": [],
        "mask": [],
        "reduction": "per_sample",
    }
    _, state = library.tailops_tail_loss(**inputs, **attributes_of(options))
    expected = kernels.forward(y_true, y_pred, options).state
    assert state.numpy().tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64])
@pytest.mark.parametrize("graph", [False, True])
def test_every_dtype_is_the_kernels_bits(dtype, graph):
    y_true, y_pred = (tf.cast(x, dtype) for x in pair(3000))
    options = TailOptions(0.95, 5.0)

    def step(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            loss = ops.tail_loss(y_true, y_pred, options)
        return loss, tape.gradient(loss, y_pred)

    loss, slope = (tf.function(step) if graph else step)(y_true, y_pred)
    expected, state = kernels.forward(y_true.numpy(), y_pred.numpy(), options)
    expected_slope = kernels.backward(
        np.ones_like(expected), y_true.numpy(), y_pred.numpy(), state, options
    )
    assert loss.numpy().tobytes() == expected.tobytes()
    assert slope.numpy().tobytes() == expected_slope.tobytes()


@pytest.mark.parametrize("n", [100_000, 1_000_000])
def test_the_thread_pool_changes_no_bits(n):
    y_true, y_pred = pair(n)
    for reduction in ("mean", "per_sample"):
        loss = ops.tail_loss(y_true, y_pred, reduction=reduction).numpy()
        alone = kernels.forward(y_true, y_pred, reduction=reduction, threads=1).loss
        assert loss.tobytes() == alone.tobytes()


def test_subnormals_survive_tensorflows_threads():
    """TensorFlow flushes them to zero on its threads; the kernels must not depend on that."""
    tiny = np.finfo(np.float32).smallest_subnormal
    d = (np.arange(200_000) % 1000).astype(np.float32) * tiny
    options = TailOptions(0.5, error_scale=0.0)
    for f in (ops.tail_loss, tf.function(ops.tail_loss)):
        loss = f(np.zeros_like(d), d, options, reduction="none")
        np.testing.assert_array_equal(loss.numpy(), d)


def operations(concrete):
    return [node.op for node in concrete.graph.as_graph_def().node]


def test_one_op_forward_and_one_backward():
    @tf.function(input_signature=[tf.TensorSpec((None, 1))] * 2)
    def step(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            loss = ops.tail_loss(y_true, y_pred, reduction="mean")
        return loss, tape.gradient(loss, y_pred)

    found = operations(step.get_concrete_function())
    assert found.count("Tailops>TailLoss") == found.count("Tailops>TailLossGrad") == 1
    assert not [op for op in found if "Sort" in op or "TopK" in op or "Tanh" in op]


def test_gradient_by_targets_only_where_asked_for():
    y_true, y_pred = (tf.constant(x) for x in pair(10))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y_pred)
        loss = ops.tail_loss(y_true, y_pred)
    assert tape.gradient(loss, y_true) is None
    with tf.GradientTape() as tape:
        tape.watch([y_true, y_pred])
        loss = ops.tail_loss(y_true, y_pred)
    by_true, by_pred = tape.gradient(loss, [y_true, y_pred])
    np.testing.assert_array_equal(by_true, -by_pred)


def test_jacobian():
    y_true, y_pred = (tf.constant(x, tf.float64) for x in pair(6, np.float64))
    options = TailOptions(0.5, 2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(y_pred)
        loss = ops.tail_loss(y_true, y_pred, options)
    whole = tape.jacobian(loss, y_pred, experimental_use_pfor=False)
    total = tape.gradient(loss, y_pred)
    np.testing.assert_allclose(tf.reduce_sum(whole, 0), total, rtol=1e-12)


def test_op_determinism_is_supported():
    """In a process of its own: it cannot be switched off again."""
    run_python(
        """
        import numpy as np, tensorflow as tf
        from tailops import kernels, ops
        tf.config.experimental.enable_op_determinism()
        x = np.random.default_rng(0).standard_normal((2, 100_000)).astype(np.float32)
        loss = ops.tail_loss(*x, reduction="mean").numpy()
        assert loss == kernels.forward(*x, reduction="mean").loss
        """
    )


def test_saved_model(tmp_path):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 1))] * 2)
        def loss(self, y_true, y_pred):
            return ops.tail_loss(y_true, y_pred, TailOptions(0.9), reduction="mean")

    y_true, y_pred = pair(100)
    tf.saved_model.save(Module(), tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    assert loaded.loss(tf.constant(y_true), tf.constant(y_pred)) == ops.tail_loss(
        y_true, y_pred, TailOptions(0.9), reduction="mean"
    )


def test_the_reference_needs_a_rank_for_samples():
    @tf.function(input_signature=[tf.TensorSpec(None)])
    def losses(y):
        return reference.tail_loss(y, y, reduction="per_sample")

    with pytest.raises(ValueError, match="the rank of y_pred: it is unknown"):
        losses(tf.zeros(3))
