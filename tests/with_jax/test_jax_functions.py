"""`tailops.jax`: the kernels' bits under jit, grad and vmap, on every dtype and option."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from kinds import METHODS, with_betas
from processes import run_python

from tailops import _kernels, build_info, kernels
from tailops._options import TailOptions

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from modes import x64  # noqa: E402, F401

import tailops.jax as tj  # noqa: E402

EVERY_OPTION = list(itertools.product(with_betas(0.0, 0.3), METHODS, _kernels.GRADIENTS))
UNITS = _kernels.SMOOTHING_UNITS * len(EVERY_OPTION)
DTYPES = [jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64]
CASES = [
    (reduction, axis, DTYPES[(i + j) % 4])
    for i, reduction in enumerate(_kernels.REDUCTIONS)
    for j, axis in enumerate([None, 0, -1])
]


def pair(shape=(19, 4), dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal(shape).astype(dtype) for _ in range(2))


def expected_of(y_true, y_pred, options, reduction, upstream=None):
    loss, state = kernels.forward(y_true, y_pred, options, reduction=reduction)
    upstream = np.ones_like(loss) if upstream is None else upstream
    slope = kernels.backward(upstream, y_true, y_pred, state, options, reduction=reduction)
    reads_targets = options is None or options.reads_targets
    return loss, -slope if reads_targets else np.zeros_like(slope), slope


def value_and_gradients(y_true, y_pred, options=None, reduction="mean"):
    def loss(y_true, y_pred):
        return tj.tail_loss(y_true, y_pred, options, reduction=reduction)

    value, pull_back = jax.vjp(loss, y_true, y_pred)
    return value, *pull_back(jnp.ones_like(value))


def assert_same_bits(actual, expected):
    for a, b in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(("reduction", "axis", "dtype"), CASES)
def test_every_option(reduction, axis, dtype):
    chosen = [
        TailOptions(0.8, 4.0, 5.0, beta, error, method, gradient, axis, 0.1, unit)
        for ((error, beta), method, gradient), unit in zip(EVERY_OPTION, UNITS, strict=False)
    ]

    @jax.jit
    def step(y_true, y_pred):
        return [value_and_gradients(y_true, y_pred, o, reduction) for o in chosen]

    data = pair(dtype=dtype)
    assert_same_bits(step(*data), [expected_of(*data, o, reduction) for o in chosen])


def test_values_have_no_targets():
    values, mask = pair(dtype=np.float64)[0], np.random.default_rng(1).random((19, 4)) < 0.7
    options = TailOptions(0.8, 3.0, 5.0, error="value", ignore_nan=True)

    @jax.jit
    def step(targets, values):
        def loss(targets, values):
            return tj.tail_loss(targets, values, options, reduction="mean", mask=mask)

        return jax.value_and_grad(loss, (0, 1))(targets, values)

    expected = step(values, values)
    assert np.any(expected[1][1])
    for targets in (np.zeros_like(values), np.full_like(values, np.nan)):
        loss, (by_target, by_value) = step(targets, values)
        assert not np.any(by_target)
        assert_same_bits((loss, by_value), (expected[0], expected[1][1]))
    of_one = jax.grad(lambda v: tj.tail_loss(v, v, options, reduction="mean", mask=mask))(values)
    assert_same_bits(of_one, expected[1][1])


@pytest.mark.parametrize(
    ("ours", "options"),
    [
        (tj.percentile_loss, TailOptions(0.9, 3.0, 2.0, error="squared", method="linear")),
        (tj.max_fraction_loss, TailOptions(0.9, 3.0, 2.0, error="squared", method="max_fraction")),
        (tj.hybrid_percentile_loss, TailOptions(0.9, 3.0, 2.0, 0.2, "squared", "linear")),
    ],
)
def test_the_three_losses(ours, options):
    others = {} if options.method == "max_fraction" else {"method": "linear"}
    data = pair()
    loss = ours(*data, 0.9, 3.0, 2.0, error="squared", **others)
    assert_same_bits(loss, kernels.forward(*data, options).loss)


def test_without_x64_the_state_keeps_its_bits():
    jax.config.update("jax_enable_x64", False)
    data = pair((200, 2))
    options = TailOptions(0.77, 3.0, method="linear")
    assert_same_bits(
        jax.jit(lambda *d: value_and_gradients(*d, options))(*data),
        expected_of(*data, options, "mean"),
    )


@pytest.mark.parametrize("axis", [None, 1])
def test_the_state_is_that_of_the_kernels(axis):
    from tailops.jax._custom_calls import forward

    data, options = pair((20, 3)), TailOptions(0.77, 3.0, method="linear", axis=axis)
    _, state = forward(*data, (), (), options, "per_sample")
    expected = kernels.forward(*data, options)
    assert np.asarray(state).tobytes() == expected.state.tobytes()
    upstream = np.ones_like(expected.loss)
    assert_same_bits(
        kernels.backward(upstream, *data, np.asarray(state), options),
        kernels.backward(upstream, *data, expected.state, options),
    )


def test_large_input_on_several_threads():
    data = pair((400_000, 1))
    for axis in (None, 0):
        options = TailOptions(0.9, 2.0, axis=axis)
        assert_same_bits(
            jax.jit(lambda *d, o=options: value_and_gradients(*d, o, "per_sample"))(*data),
            expected_of(*data, options, "per_sample"),
        )


def test_many_calls_at_once():
    """XLA runs calls on the very threads that they ask for help: none may wait for another."""
    data = pair((8, 100_000))
    options = TailOptions(0.9, 2.0)

    @jax.jit
    def steps(y_true, y_pred):
        return [value_and_gradients(*d, options) for d in zip(y_true, y_pred, strict=True)]

    expected = [expected_of(*d, options, "mean") for d in zip(*data, strict=True)]
    with ThreadPoolExecutor(6) as pool:
        for results in pool.map(lambda _: steps(*data), range(30), timeout=120):
            assert_same_bits(results, expected)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_vmap_is_one_call_of_many_groups(reduction, axis):
    options = TailOptions(0.8, 4.0, 5.0, 0.3, axis=axis)

    def one(y_true, y_pred):
        return value_and_gradients(y_true, y_pred, options, reduction)

    y_true, y_pred = pair((6, 9, 4), np.float64)
    mapped = jax.jit(jax.vmap(one))
    singles = [expected_of(t, p, options, reduction) for t, p in zip(y_true, y_pred, strict=True)]
    for actual, expected in zip(mapped(y_true, y_pred), zip(*singles, strict=True), strict=True):
        np.testing.assert_allclose(actual, np.stack(expected), rtol=1e-13, atol=1e-14)

    hlo = mapped.lower(y_true, y_pred).compile().as_text()
    assert hlo.count('custom_call_target="tailops_tail_loss"') == 1
    assert hlo.count('custom_call_target="tailops_tail_loss_grad"') == 1
    assert "while" not in hlo


def test_vmap_of_one_argument_over_another_axis_and_twice():
    rng = np.random.default_rng(2)
    y_true, y_pred = rng.standard_normal(9), rng.standard_normal((3, 9, 5))
    loss = jax.vmap(jax.vmap(lambda p: tj.tail_loss(y_true, p, reduction="sum")), in_axes=2)
    found = loss(y_pred)
    assert found.shape == (5, 3)
    for i, j in np.ndindex(5, 3):
        single = kernels.forward(y_true, np.ascontiguousarray(y_pred[j, :, i]), reduction="sum")
        np.testing.assert_allclose(found[i, j], single.loss, rtol=1e-13)


def test_vmap_over_nothing():
    empty = jnp.zeros((0, 5))
    assert jax.vmap(lambda p: tj.tail_loss(p, p, reduction="mean"))(empty).shape == (0,)


def test_jacobian():
    y_true, y_pred = pair((6,), np.float64)
    options = TailOptions(0.5, 2.0)

    def loss(p):
        return tj.tail_loss(y_true, p, options)

    whole = jax.jacrev(loss)(y_pred)
    assert whole.shape == (6, 6)
    for row, unit in zip(whole, np.eye(6), strict=True):
        _, _, slope = expected_of(y_true, y_pred, options, "per_sample", unit)
        np.testing.assert_allclose(row, slope, rtol=1e-13, atol=1e-14)


def test_finite_differences():
    y_true, y_pred = pair((7, 3), np.float64)
    for axis, reduction in itertools.product([None, 0], ["mean", "sum"]):
        options = TailOptions(0.7, 2.0, 3.0, 0.2, method="linear", axis=axis)
        loss = jax.jit(lambda p, o=options, r=reduction: tj.tail_loss(y_true, p, o, reduction=r))
        slope = jax.grad(loss)(y_pred)
        for index in np.ndindex(y_pred.shape):
            step = np.zeros_like(y_pred)
            step[index] = 1e-6
            difference = (loss(y_pred + step) - loss(y_pred - step)) / 2e-6
            np.testing.assert_allclose(slope[index], difference, rtol=1e-6, atol=1e-8)


def test_training_lowers_the_loss():
    x, noise = pair((256, 3))
    y = x @ np.float32([1.0, -2.0, 0.5]) + 0.1 * noise[:, 0]

    @jax.jit
    def step(w):
        def loss(w):
            return tj.percentile_loss(y, x @ w, 0.9, 3.0, gradient="fixed_weight").mean()

        value, slope = jax.value_and_grad(loss)(w)
        return value, w - 0.02 * slope

    w, values = jnp.zeros(3, jnp.float32), []
    for _ in range(200):
        value, w = step(w)
        values.append(float(value))
    assert values[-1] < 0.2 * values[0]


def test_integers_lists_and_a_last_axis_of_one():
    assert tj.percentile_loss([0, 0, 0], [1.0, 2.0, 4.0]).tolist() == [1.0, 2.0, 24.0]
    column = tj.percentile_loss(np.zeros(3, int), jnp.array([[1.0], [2.0], [4.0]]))
    assert column.tolist() == [1.0, 2.0, 24.0]
    grown = tj.percentile_loss(np.zeros((2, 3, 1)), jnp.ones((2, 3)))
    assert grown.shape == (2,)


def test_gradients_inside_shard_map():
    """Which tracks over which axes an array differs: a custom call's results do like its inputs."""
    from tailops.jax._range_mean import range_mean

    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("i",))
    rows = jax.sharding.PartitionSpec("i")

    def total(x):
        return tj.tail_loss(0 * x, x, reduction="mean") + range_mean(x, (0.5, 1.0), "between", None)

    slope = jax.grad(total)
    x = np.float32([1.0, 2.0, 3.0])
    found = jax.jit(jax.shard_map(slope, mesh=mesh, in_specs=rows, out_specs=rows))(x)
    np.testing.assert_array_equal(found, slope(x))


def test_what_is_imported():
    run_python(
        """
        import sys
        import tailops
        assert "jax" not in sys.modules
        assert tailops.jax.percentile_loss([0.0], [1.0]).tolist() == [6.0]
        assert "tensorflow" not in sys.modules and "keras" not in sys.modules
        """
    )


@pytest.mark.parametrize(("reduction", "axis", "dtype"), CASES)
def test_ignored_elements(reduction, axis, dtype):
    y_true, y_pred = pair(dtype=dtype)
    kept = np.random.default_rng(1).random(y_pred.shape) < 0.7
    marked, with_nan = (np.where(kept, y_true, dtype(value)) for value in (-9.0, np.nan))
    for labels, rules, mask in (
        (marked, {"ignore_value": -9}, None),
        (with_nan, {"ignore_nan": True}, None),
        (y_true, {}, kept),
    ):
        options = TailOptions(0.8, 4.0, axis=axis, **rules)

        def loss(y_pred, labels=labels, options=options, mask=mask):
            return tj.tail_loss(labels, y_pred, options, reduction=reduction, mask=mask)

        value, pull_back = jax.vjp(jax.jit(loss), y_pred)
        (slope,) = pull_back(jnp.ones_like(value))
        how = {"reduction": reduction, "mask": mask}
        expected, state = kernels.forward(labels, y_pred, options, **how)
        upstream = np.ones_like(expected)
        gradient = kernels.backward(upstream, labels, y_pred, state, options, **how)
        assert_same_bits((value, slope), (jnp.asarray(expected), jnp.asarray(gradient)))


@pytest.mark.parametrize("shape", [(5, 20, 3), (5, 20)])
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_ignored_elements_under_vmap(reduction, shape):
    """Each slice has means of its own; a sum of vectors has none."""
    y_true, y_pred = pair(shape, np.float64)
    kept = np.random.default_rng(1).random(y_pred.shape) < 0.7
    kept[1] = False
    options = TailOptions(0.8, 4.0)

    def loss(y_true, y_pred, mask):
        return tj.tail_loss(y_true, y_pred, options, reduction=reduction, mask=mask)

    def total(*data):
        return loss(*data).sum()

    for f in (loss, jax.grad(total, argnums=1)):
        together = jax.vmap(f)(y_true, y_pred, kept)
        for i in range(5):
            np.testing.assert_allclose(
                together[i], f(y_true[i], y_pred[i], kept[i]), rtol=1e-12, atol=1e-14
            )


def test_ignoring_has_the_same_functional_forms():
    y_true, y_pred = pair()
    mask = np.arange(19) % 3 != 0  # per sample
    every = np.repeat(mask[:, None], 4, axis=1)
    for function in (tj.percentile_loss, tj.max_fraction_loss, tj.hybrid_percentile_loss):
        expected = function(np.where(every, y_true, np.nan), y_pred, ignore_nan=True)
        np.testing.assert_array_equal(function(y_true, y_pred, mask=mask), expected)
        marked = np.where(every, (10 * y_true).astype(np.int32), 77)
        np.testing.assert_array_equal(
            function(marked, y_pred, ignore_value=77),
            function((10 * y_true).astype(np.int32), y_pred, mask=every),
        )
    with pytest.raises(
        ValueError, match=r"ignore_value=0\.5: cannot occur in y_true of dtype int32"
    ):
        tj.percentile_loss(marked, y_pred, ignore_value=0.5)
    with pytest.raises(TypeError, match="mask of dtype int32: must be bool"):
        tj.percentile_loss(y_true, y_pred, mask=marked)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
def test_scales(gradient):
    """With κ in 1/t: the loss of c·y and c·ŷ is c times as large, and the gradient the same."""

    @jax.jit
    def step(y_true, y_pred):
        def loss(y_pred):
            return tj.percentile_loss(
                y_true, y_pred, 0.9, 5.0, gradient=gradient, axis=0, smoothing_unit="threshold"
            ).mean()

        return jax.value_and_grad(loss)(y_pred)

    y_true, y_pred = pair((400, 3))
    loss, slope = step(y_true, y_pred)
    for c in np.float32([1e-6, 1e-3, 0.7, 1e3, 1e6]):
        scaled_loss, scaled_slope = step(c * y_true, c * y_pred)
        np.testing.assert_allclose(scaled_loss, c * loss, rtol=2e-6)
        atol = 1e-5 * np.abs(slope).max()
        np.testing.assert_allclose(scaled_slope, slope, rtol=0, atol=atol)
