"""`tailops.jax._range_mean`: the kernels' bits under jit, grad and vmap, with any bounds."""

import itertools
import re

import numpy as np
import pytest
from range_problems import BOUNDS, assert_same_bits, cases, expected_of, problem, upstream_like

from tailops import _kernels, build_info, kernels

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402

from tailops.jax._float64 import words_of  # noqa: E402
from tailops.jax._range_mean import range_mean, range_weights  # noqa: E402


@pytest.fixture(autouse=True)
def x64():
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def mean_and_slope(values, bounds, kind, axis, mask=None):
    mean, pull_back = jax.vjp(lambda v: range_mean(v, bounds, kind, axis, mask), values)
    return mean, *pull_back(jnp.asarray(upstream_like(mean)))


@pytest.mark.parametrize(("kind", "axis", "dtype", "masked"), cases(None, 0, 1, -1, -3))
def test_the_bits_of_the_kernels(kind, axis, dtype, masked):
    values, mask = problem(dtype, masked)
    bounds = BOUNDS[kind]
    step = jax.jit(lambda v, b, k: mean_and_slope(v, b, kind, axis, k))
    expected = expected_of(values, bounds, kind, axis, mask)
    assert_same_bits(step(values, np.array(bounds), mask), expected)
    assert_same_bits(mean_and_slope(values, bounds, kind, axis, mask), expected)


@pytest.mark.parametrize("traced", [False, True])
def test_without_x64_bounds_and_state_keep_their_bits(traced):
    """0.1 + 0.2 in float32 would be another place; what comes in float32 is what it is."""
    jax.config.update("jax_enable_x64", False)
    values, _ = problem()
    bounds = (0.1 + 0.2, 1 - 1e-12)
    if traced:
        bounds = np.float32(bounds)
        step = jax.jit(lambda v, b: mean_and_slope(v, b, "between", 1))
        found = step(values, bounds)
    else:
        found = jax.jit(lambda v: mean_and_slope(v, bounds, "between", 1))(values)
    assert_same_bits(found, expected_of(values, bounds, "between", 1))


EXTREME = [0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 2.0**-126, 2.0**-149, 3 * 2.0**-140, 3.4e38]


@pytest.mark.parametrize("x64_mode", [False, True])
@pytest.mark.parametrize(
    "numbers",
    [
        [np.float32(sign * x) for x in (*EXTREME, np.inf) for sign in (1, -1)],
        [np.float16(x) for x in (0.1, 6e-8, 65504.0, -2.0)],
        [jnp.bfloat16(x) for x in (0.1, 1e-40, 3e38)],
        [np.int32(x) for x in (0, 1, -1, 12_345_678, 2**31 - 1, -(2**31))],
        [np.uint32(x) for x in (0, 1, 2**32 - 1)],
        [np.int8(-128), np.uint8(255)],
    ],
    ids=lambda numbers: np.asarray(numbers[0]).dtype.name,
)
def test_numbers_as_float64(numbers, x64_mode):
    jax.config.update("jax_enable_x64", x64_mode)
    for number in numbers:
        expected = np.float64(number).tobytes()
        assert np.asarray(jax.jit(words_of)(jnp.asarray(number))).tobytes() == expected
        assert np.asarray(words_of(number)).tobytes() == expected
    assert np.isnan(np.asarray(words_of(jnp.float32(np.nan))).view(np.float64)[0])


def test_numbers_that_are_float64():
    for number in (0.1, 1e300, 5e-324, np.float64(1 / 3), np.int64(2**53), 7):
        expected = np.float64(number).tobytes()
        assert np.asarray(words_of(number)).tobytes() == expected
        assert np.asarray(jax.jit(words_of)(number)).tobytes() == expected


def test_other_bounds_are_no_other_compilation():
    traces = []

    @jax.jit
    def mean(values, low):
        traces.append(1)
        return range_mean(values, (low, 0.95), "between", None)

    values = problem(np.float64)[0]
    for low in (0.0, 0.1 + 0.2, 0.7):
        expected = kernels.range_mean(values, (low, 0.95), "between")
        assert_same_bits([mean(values, low)], [expected])
    assert len(traces) == 1


@pytest.mark.parametrize("kind", BOUNDS)
@pytest.mark.parametrize("axis", [None, 1])
def test_weights_are_the_gradient_and_constants(kind, axis):
    values, mask = problem(np.float32, masked=True)
    bounds = BOUNDS[kind]

    def total(v):
        return range_mean(v, bounds, kind, axis, mask).sum()

    def weighted(v):
        return (range_weights(v, bounds, kind, axis, mask) * v).sum()

    weights = jax.jit(lambda v: range_weights(v, bounds, kind, axis, mask))(values)
    assert_same_bits([weights], [jax.grad(total)(values)])
    assert_same_bits([jax.grad(weighted)(values)], [weights])
    assert not np.any(jax.grad(lambda v: range_weights(v, bounds, kind, axis, mask).sum())(values))
    np.testing.assert_allclose(weights.sum(axis), mask.any(axis), rtol=1e-4)


def test_no_gradient_by_the_bounds():
    values = problem(np.float64)[0]
    slope = jax.grad(lambda low: range_mean(values, (low, 1.0), "between", None))(0.5)
    assert slope == 0


def in_slices(mapped, arguments, i):
    return [a[i] if has and a is not None else a for a, has in zip(arguments, mapped, strict=True)]


MAPPED = [m for m in itertools.product([True, False], repeat=3) if any(m)]
VMAPS = list(zip(itertools.cycle(BOUNDS), MAPPED, strict=False))


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize(("kind", "mapped"), VMAPS)
def test_vmap(kind, mapped, axis, jit):
    """Whatever is mapped: values, bounds, mask; of each slice the bits of a call of its own."""
    values, mask = problem(np.float64, masked=True)
    several = np.array(BOUNDS[kind]) * [[1.0, 1.0], [0.9, 1.0], [0.5, 1.0]] * [[1], [1], [1.01]]
    arguments = [
        values[:3] if mapped[0] else values[0],
        several if mapped[1] else several[0],
        mask[:3] if mapped[2] else mask[0],
    ]
    in_axes = [0 if has else None for has in mapped]

    def one(v, b, k):
        return mean_and_slope(v, b, kind, axis, k)

    function = jax.vmap(one, in_axes=in_axes)
    means, slopes = (jax.jit(function) if jit else function)(*arguments)
    for i in range(3):
        v, b, k = in_slices(mapped, arguments, i)
        assert_same_bits((means[i], slopes[i]), expected_of(v, b, kind, axis, k))


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_vmap_is_one_call_of_many_groups_unless_bounds_are_mapped(axis):
    values = problem(np.float64)[0]
    bounds = np.array([[0.1, 0.9]] * 6)

    def step(v, b):
        return jax.value_and_grad(lambda v: range_mean(v, b, "between", axis).sum())(v)

    def hlo(in_axes, *arguments):
        mapped = jax.jit(jax.vmap(step, in_axes=in_axes))
        text = mapped.lower(*arguments).compile().as_text()
        calls = [
            text.count(f'custom_call_target="{name}"')
            for name in ("tailops_range_mean", "tailops_range_mean_grad")
        ]
        return calls, bool(re.search(r"\bwhile\(", text))

    assert hlo((0, None), values, bounds[0]) == ([1, 1], False)
    assert hlo((0, 0), values, bounds) == ([1, 1], True)


def test_vmap_over_another_axis_and_twice():
    values = np.random.default_rng(2).standard_normal((3, 9, 5))
    lows = np.array([0.1, 0.3, 0.7])

    def one(v, low):
        return range_mean(v, (low, 0.9), "between", None)

    found = jax.vmap(jax.vmap(one, in_axes=(0, 0)), in_axes=(2, None))(values, lows)
    assert found.shape == (5, 3)
    for i, j in np.ndindex(5, 3):
        single = np.ascontiguousarray(values[j, :, i])
        assert found[i, j] == kernels.range_mean(single, (lows[j], 0.9), "between")
    both = jax.vmap(jax.vmap(lambda v: one(v, 0.3)))(values)
    np.testing.assert_array_equal(both, kernels.range_mean(values, (0.3, 0.9), "between", -1))


def test_vmap_over_nothing():
    def one(v, b):
        return range_mean(v, b, "between", None), range_weights(v, b, "between", None)

    for axes, bounds in (((0, None), jnp.ones(2)), ((0, 0), jnp.ones((0, 2)))):
        mean, weights = jax.vmap(one, in_axes=axes)(jnp.zeros((0, 5)), bounds)
        assert (mean.shape, weights.shape) == ((0,), (0, 5))


def test_jacobian():
    values = np.random.default_rng(0).standard_normal((6, 4))
    whole = jax.jacrev(lambda v: range_mean(v, (0.3, 1.0), "between", 0))(values)
    assert whole.shape == (4, 6, 4)
    _, state = kernels.range_mean_forward(values, (0.3, 1.0), "between", 0)
    for row, unit in zip(whole, np.eye(4), strict=True):
        assert_same_bits([row], [kernels.range_mean_gradient(unit, values, state, 0)])


NAN = float("nan")


@pytest.mark.parametrize(
    ("kind", "bounds", "message"),
    [
        ("between", (0.5, 0.5), r"lower=0\.5, upper=0\.5: must be 0 <= lower < upper <= 1"),
        ("between", (NAN, 1.0), r"lower=-?nan, upper=1: must be"),
        ("largest", (9.5, 0.0), r"k=9\.5: must be at most the number of valid values.* is 9"),
        ("at_least", (0.0, 0.5), r"min_kept=0\.5: .*min_kept at least 1"),
    ],
)
def test_wrong_bounds(kind, bounds, message):
    mean = jax.jit(lambda v, b: range_mean(v, b, kind, 1))
    with pytest.raises((RuntimeError, ValueError), match="tailops_range_mean: .*" + message):
        jax.block_until_ready(mean(jnp.zeros((2, 9)), np.array(bounds)))


def test_wrong_arguments():
    x = jnp.zeros((2, 9))
    for call, message in [
        (lambda: range_mean(x, (0.5, 1.0), "median", 1), r"kind='median'.*'between', 'largest'"),
        (lambda: range_mean(x, (0.5, 1.0), "between", 2), r"axis=2: must be in \[-2, 2\)"),
        (lambda: range_mean(x[:, :0], (0.5, 1.0), "between", 1), r"shape \(2, 0\): there must be"),
        (lambda: range_mean(x, (0.5, 0.7, 1.0), "between", 1), "too many values to unpack"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


def test_errors_inside_a_handler():
    """Python lets none of these through: a call that is made by hand."""
    x = np.arange(6, dtype="float32")

    def call(values=x, bounds=(0.5, 1.0), mask=None, dtype=x.dtype, columns=10, **changed):
        results = jax.ShapeDtypeStruct((), dtype), jax.ShapeDtypeStruct((1, columns), jnp.uint32)
        attributes = {"kind": np.int64(0), **changed}
        masks = () if mask is None else (mask,)
        made = jax.ffi.ffi_call("tailops_range_mean", results)
        return made(values, np.array(bounds), *masks, **attributes)

    assert 2 * _kernels.RANGE_COLUMNS == 10
    assert call(mask=x < 5)[0] == np.float32(kernels.range_mean(x[:5], (0.5, 1.0), "between"))
    for changed, message in [
        ({"kind": np.int64(3)}, r"kind=3: must be in \[0, 3\)"),
        ({"kind": "between"}, "attribute kind"),
        ({"axis": np.int64(1)}, r"axis=1: must be in \[-1, 1\)"),
        ({"axis": np.int64(0), "values": np.float32([[1.0]])}, r"mean of shape \(\) must have"),
        ({"bounds": (0.5,)}, "bounds of 8 bytes: must have 16"),
        ({"mask": x[:5] > 1}, r"mask of shape \(5,\) must have the shape \(6,\)"),
        ({"mask": x.astype(np.float16)}, "weights of dtype F16: must be F32 or F64"),
        ({"mask": x, "kind": np.int64(1)}, "kind='largest'.*weights"),
        ({"dtype": np.float16}, "mean of dtype F16: must be F32, like the others"),
        ({"columns": 8}, "state of 32 bytes: must have 40, 40 for each of 1 rows"),
        (
            {"values": x.astype(np.int32), "dtype": np.int32},
            "elements of dtype S32: must be one of F16, BF16, F32, F64",
        ),
    ]:
        with pytest.raises((RuntimeError, ValueError), match=f"tailops_range_mean: .*{message}"):
            jax.block_until_ready(call(**changed))
