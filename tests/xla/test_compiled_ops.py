"""The ops under `jit_compile=True`: the bits of the ops outside XLA, whatever the options."""

import functools
import itertools
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from kinds import METHODS, with_betas
from processes import run_python

from tailops import _kernels, build_info, ops
from tailops._options import TailOptions
from tailops._tensorflow.attributes import attributes_of
from tailops._tensorflow.library import library

pytestmark = pytest.mark.skipif(not build_info()["xla"], reason="built without XLA")

EVERY_OPTION = list(itertools.product(with_betas(0.0, 0.3), METHODS, _kernels.GRADIENTS))
UNITS = _kernels.SMOOTHING_UNITS * len(EVERY_OPTION)
DTYPES = [tf.float16, tf.bfloat16, tf.float32, tf.float64]
# Every reduction with every axis; the dtypes take turns, so that each meets each of both.
QUICK = [("none", None), ("per_sample", 0), ("mean", 0), ("sum", -1)]  # each dtype once
CASES = [
    pytest.param(
        reduction,
        axis,
        DTYPES[(i + j) % 4],
        marks=() if (reduction, axis) in QUICK else pytest.mark.extended,
    )
    for i, reduction in enumerate(_kernels.REDUCTIONS)
    for j, axis in enumerate([None, 0, -1])
]


def pair(shape=(19, 4), dtype=tf.float32, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(tf.cast(rng.standard_normal(shape), dtype) for _ in range(2))


def value_and_gradients(y_true, y_pred, options, reduction="mean"):
    with tf.GradientTape() as tape:
        tape.watch([y_true, y_pred])
        loss = ops.tail_loss(y_true, y_pred, options, reduction=reduction)
    return [loss, *tape.gradient(loss, [y_true, y_pred], unconnected_gradients="zero")]


def assert_same_bits(actual, expected):
    for a, b in zip(tf.nest.flatten(actual), tf.nest.flatten(expected), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.numpy().tobytes() == b.numpy().tobytes()


def compiled(f, **arguments):
    return tf.function(f, jit_compile=True, **arguments)


@pytest.mark.parametrize(("reduction", "axis", "dtype"), CASES)
def test_every_option(reduction, axis, dtype):
    chosen = [
        TailOptions(0.8, 4.0, 5.0, beta, error, method, gradient, axis, 0.1, unit)
        for ((error, beta), method, gradient), unit in zip(EVERY_OPTION, UNITS, strict=False)
    ]

    def step(y_true, y_pred):
        return [value_and_gradients(y_true, y_pred, o, reduction) for o in chosen]

    data = pair(dtype=dtype)
    assert_same_bits(compiled(step)(*data), step(*data))


@pytest.mark.parametrize(("reduction", "axis", "dtype"), CASES)
def test_ignored_elements(reduction, axis, dtype):
    y_true, y_pred = pair(dtype=dtype)
    kept = np.random.default_rng(1).random(y_pred.shape) < 0.7
    kept[0] = False
    ignoring = TailOptions(0.8, 4.0, beta=0.3, axis=axis, ignore_value=-9)
    of_nan = TailOptions(0.8, 4.0, axis=axis, ignore_nan=True)
    masked = TailOptions(0.8, 4.0, axis=axis)

    def step(y_true, marked, with_nan, y_pred, mask):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            losses = [
                ops.tail_loss(marked, y_pred, ignoring, reduction=reduction),
                ops.tail_loss(with_nan, y_pred, of_nan, reduction=reduction),
                ops.tail_loss(y_true, y_pred, masked, reduction=reduction, mask=mask),
            ]
        return losses, tape.gradient(losses, y_pred)

    marked, with_nan = (tf.where(kept, y_true, tf.cast(value, dtype)) for value in (-9.0, np.nan))
    data = y_true, marked, with_nan, y_pred, tf.constant(kept)
    assert_same_bits(compiled(step)(*data), step(*data))


def test_a_wrong_mask_under_xla():
    y_true, y_pred = pair()

    @functools.partial(tf.function, jit_compile=True)
    def loss(mask):
        return library.tailops_tail_loss(y_true=y_true, y_pred=y_pred, numbers=[], mask=mask)[0]

    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=r"mask|[Ss]hape"):
        loss([tf.ones((19, 3), tf.bool)])
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="mask is given 2 times: at most one is allowed"
    ):
        loss([tf.ones((19, 4), tf.bool)] * 2)


@pytest.mark.parametrize("value", [0.1, 1e-30, 1e30, 1 / 3])
def test_numbers_arrive_exactly(value):
    """A third in float32, or 1e+30 in a syntax that nobody reads, would be another loss."""
    options = TailOptions(1 / 3, smoothing_factor=value, error_scale=value, epsilon=1e-30)

    def step(*data):
        return value_and_gradients(*data, options, "none")

    data = pair((200,), tf.float64)
    assert_same_bits(compiled(step)(*data), step(*data))


def test_large_input_on_several_threads():
    data = pair((400_000, 1))

    def step(y_true, y_pred):
        return [
            value_and_gradients(y_true, y_pred, TailOptions(0.9, 2.0, axis=a)) for a in (None, 0)
        ]

    assert_same_bits(compiled(step)(*data), step(*data))


def test_many_calls_at_once():
    """XLA runs calls on the very threads that they ask for help: none may wait for another."""
    data = pair((8, 100_000))

    def steps(y_true, y_pred):
        return [value_and_gradients(y_true[i], y_pred[i], TailOptions(0.9, 2.0)) for i in range(8)]

    step, expected = compiled(steps), steps(*data)
    with ThreadPoolExecutor(6) as pool:
        for results in pool.map(lambda _: step(*data), range(30), timeout=120):
            assert_same_bits(results, expected)


def test_not_numbers_and_infinities():
    y_true, _ = pair((50, 4), tf.float64)
    d = np.random.default_rng(1).standard_normal((50, 4))
    d[3, 1], d[5, 2], d[6, 2] = np.nan, np.inf, -np.inf

    def step(*data):
        return value_and_gradients(*data, TailOptions(0.5, axis=0), "none")

    assert_same_bits(compiled(step)(y_true, y_true + d), step(y_true, y_true + d))


def test_memory_in_another_order():
    """XLA may keep what comes out of a transposition column by column: not for us."""

    def step(y_true, y_pred):
        turned = tf.matmul(y_true, y_true, transpose_a=True), tf.transpose(y_pred)
        return turned, value_and_gradients(*turned, TailOptions(0.9, 2.0), "per_sample")

    y_true, _ = pair((7, 5))
    y_pred, _ = pair((5, 5), seed=1)
    turned, results = compiled(step)(y_true, y_pred)
    assert_same_bits(results, value_and_gradients(*turned, TailOptions(0.9, 2.0), "per_sample"))


def test_gradient_outside_the_compiled_function():
    data = pair()
    loss = compiled(lambda t, p: ops.tail_loss(t, p, TailOptions(0.8), reduction="mean"))
    with tf.GradientTape() as tape:
        tape.watch(data)
        value = loss(*data)
    assert_same_bits(
        [value, *tape.gradient(value, data)], value_and_gradients(*data, TailOptions(0.8))
    )


def test_functions_within_functions():
    data = pair()
    options = TailOptions(0.8, 3.0)
    inner = tf.function(lambda t, p: ops.tail_loss(t, p, options, reduction="mean"))

    def step(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch([y_true, y_pred])
            loss = tf.cond(tf.reduce_sum(y_true) > -1e9, lambda: inner(y_true, y_pred), lambda: 0.0)
        return [loss, *tape.gradient(loss, [y_true, y_pred], unconnected_gradients="zero")]

    expected = value_and_gradients(*data, options)
    assert_same_bits(compiled(step)(*data), expected)
    assert_same_bits(tf.function(compiled(step))(*data), expected)
    assert_same_bits(inner(*data), expected[0])


def test_in_a_loop():
    data = pair((6, 30))

    def step(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            total = tf.constant(0.0)
            for i in tf.range(6):
                total += ops.tail_loss(y_true[i], y_pred[i], TailOptions(0.8), reduction="sum")
        return [total, tape.gradient(total, y_pred)]

    assert_same_bits(compiled(step)(*data), tf.function(step)(*data))


def test_unknown_static_shapes_and_batches_of_any_size():
    spec = tf.TensorSpec((None, None))
    step = compiled(lambda *data: value_and_gradients(*data, None), input_signature=[spec, spec])
    for n in (1, 7, 96):
        data = pair((n, 2))
        assert_same_bits(step(*data), value_and_gradients(*data, None))


def test_a_size_that_depends_on_the_data_is_refused():
    @compiled
    def loss(y_true, y_pred):
        kept = y_true > 0
        return ops.tail_loss(tf.boolean_mask(y_true, kept), tf.boolean_mask(y_pred, kept))

    with pytest.raises(tf.errors.UnimplementedError, match=r"TailLoss.*only run time knows"):
        loss(*pair((20,)))


def test_saved_model(tmp_path):
    class Module(tf.Module):
        @tf.function(jit_compile=True, input_signature=[tf.TensorSpec((None, 1))] * 2)
        def step(self, y_true, y_pred):
            return value_and_gradients(y_true, y_pred, TailOptions(0.9))

    tf.saved_model.save(Module(), tmp_path)
    data = pair((100, 1))
    expected = value_and_gradients(*data, TailOptions(0.9))
    assert_same_bits(tf.saved_model.load(tmp_path).step(*data), expected)


def test_after_the_process_has_already_compiled_something():
    """TensorFlow collects its own registrations for XLA once, when it first compiles."""
    run_python(
        """
        import tensorflow as tf
        f = lambda x: x + 1
        tf.function(f, jit_compile=True)(tf.ones(3))
        from tailops import ops
        loss = tf.function(ops.tail_loss, jit_compile=True)(tf.zeros(3), tf.ones(3))
        assert loss.numpy().tolist() == ops.tail_loss(tf.zeros(3), tf.ones(3)).numpy().tolist()
        """
    )


def test_one_call_forward_one_backward_and_no_sort():
    step = compiled(lambda *data: value_and_gradients(*data, TailOptions(0.9)))
    hlo = step.experimental_get_compiler_ir(*pair((1000, 1)))(stage="optimized_hlo")
    targets = re.findall(r'custom_call_target="([^"]*)"', hlo)
    assert sorted(targets) == ["tailops_tail_loss", "tailops_tail_loss_grad"]
    assert not re.search(r"\b(sort|topk)\(", hlo)


def test_the_sort_that_a_step_would_contain():
    """What the test above looks for is there to be found."""
    sort = compiled(lambda x: tf.sort(x)[10])
    assert re.search(r"\bsort\(", sort.experimental_get_compiler_ir(tf.ones(50))("hlo"))


ERRORS = [
    ((3,), (4,), {}, r"y_true of shape \(3,\) and y_pred of shape \(4,\).*nothing is broadcast"),
    ((3,), (3, 1), {}, r"y_true of shape \(3,\) and y_pred of shape \(3, 1\)"),
    ((0, 2), (0, 2), {}, r"y_pred of shape \(0, 2\) is empty"),
    ((3,), (3,), {"axis": [1]}, r"axis=1: must be in \[-1, 1\) for y_pred of shape \(3,\)"),
    ((3,), (3,), {"axis": [0, 1]}, r"axis has 2 entries"),
    ((3,), (3,), {"percentile": "99"}, r"percentile=99.*did you mean 0\.99"),
    ((3,), (3,), {"beta": "x"}, r"beta='x': must be a number in decimal"),
]


@pytest.mark.parametrize(("true_shape", "pred_shape", "bad", "message"), ERRORS)
def test_errors_when_it_compiles(true_shape, pred_shape, bad, message):
    attributes = {**attributes_of(TailOptions()), "reduction": "mean", **bad}

    @tf.function(jit_compile=True, input_signature=[tf.TensorSpec(None)] * 2)
    def loss(y_true, y_pred):
        return library.tailops_tail_loss(
            y_true=y_true, y_pred=y_pred, numbers=[], mask=[], **attributes
        )[0]

    with pytest.raises(tf.errors.InvalidArgumentError, match="Tailops>TailLoss.*" + message):
        loss(tf.zeros(true_shape), tf.zeros(pred_shape))


def test_errors_of_the_gradient_when_it_compiles():
    attributes = {**attributes_of(TailOptions()), "reduction": "mean"}

    @tf.function(
        jit_compile=True,
        input_signature=[tf.TensorSpec(None)] * 3 + [tf.TensorSpec(None, tf.float64)],
    )
    def gradient(upstream, y_true, y_pred, state):
        return library.tailops_tail_loss_grad(
            upstream=upstream,
            y_true=y_true,
            y_pred=y_pred,
            state=state,
            numbers=[],
            mask=[],
            **attributes,
        )

    x, state = tf.zeros(3), tf.ones((1, _kernels.STATE_COLUMNS), tf.float64)
    gradient(tf.ones(()), x, x, state)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"upstream of shape \(3,\) must"):
        gradient(x, x, x, state)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"state of shape \(2, \d+\) must"):
        gradient(tf.ones(()), x, x, tf.ones((2, _kernels.STATE_COLUMNS), tf.float64))


def call_by_hand(attributes, size):
    """The custom call that the op would become, had it let these through."""
    from tensorflow.compiler.tf2xla.ops.gen_xla_ops import xla_call_module

    state = f"tensor<1x{_kernels.STATE_COLUMNS}xf64>"
    types = f"(tensor<3xf32>, tensor<{size}xf32>) -> (tensor<f32>, {state})"
    module = f"""
        func.func @main(%t: tensor<3xf32>, %p: tensor<{size}xf32>)
            -> (tensor<f32>, {state}) {{
          %0:2 = stablehlo.custom_call @tailops_tail_loss(%t, %p)
              {{api_version = 4 : i32, backend_config = {{{attributes}}}}} : {types}
          return %0#0, %0#1 : tensor<f32>, {state}
        }}"""

    def call():
        return xla_call_module(
            args=[tf.zeros(3), tf.zeros(size)],
            version=9,
            module=module,
            Sout=[(), (1, _kernels.STATE_COLUMNS)],
            Tout=[tf.float32, tf.float64],
            platforms=["CPU"],
            dim_args_spec=[],
            function_list=[],
            has_token_input_output=False,
            disabled_checks=[],
        )

    return compiled(call)()


def test_errors_inside_a_handler():
    def attributes(without="", **changed):
        options = TailOptions().for_kernels()
        entries = {**dict(_kernels.call_attributes(options, None, "mean")), "rank": 1, **changed}
        return ", ".join(
            f"{name} = {value} : {'f64' if isinstance(value, float) else 'i64'}"
            for name, value in entries.items()
            if name != without
        )

    loss, state = call_by_hand(attributes(), 3)
    assert (loss, state[0, 0]) == (0.0, 0.0)
    for bad, size, message in [
        (attributes(percentile=99.0), 3, r"percentile=99.*did you mean 0\.99"),
        (attributes(beta=1), 3, "attribute beta: Wrong scalar data type"),
        (attributes(error=4), 3, r"error=4: must be in \[0, 4\)"),
        (attributes(ignore_nan=-1), 3, r"ignore_nan=-1: must be in \[0, 2\)"),
        (attributes(reduction=0), 3, r"loss of shape \(\) must have the shape \(3,\)"),
        (attributes(axis=1), 3, r"axis=1: must be in \[-1, 1\)"),
        (attributes(rank=2), 3, r"rank=2: must be in \[0, 1\]"),
        (attributes(rank=0), 3, r"loss of shape \(\) must have the shape \(3,\)"),
        (attributes(without="percentile"), 3, "attribute percentile"),
        (attributes(), 4, r"y_true of shape \(3,\) and y_pred of shape \(4,\)"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match="tailops_tail_loss: " + message):
            call_by_hand(bad, size)
