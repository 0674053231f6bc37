"""The losses around another loss: values, reductions, weights and masks as Keras has them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import quick
from range_oracle import range_mean

from tailops import ops
from tailops._inner_loss import InnerLoss
from tailops.losses import (
    AverageTopKLoss,
    CVaRLoss,
    OHEMLoss,
    TailWeightedLoss,
    TrimmedLoss,
)

REDUCTIONS = ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None]
# Each with what the contract calls it.
RANGES = {
    "cvar": (lambda loss, **of: CVaRLoss(loss, 0.7, **of), "between", (0.7, 1.0)),
    "top k": (lambda loss, **of: AverageTopKLoss(loss, 2.5, **of), "largest", (2.5, 0)),
    "top share": (
        lambda loss, **of: AverageTopKLoss(loss, fraction=0.25, **of),
        "between",
        (0.75, 1.0),
    ),
    "ohem": (lambda loss, **of: OHEMLoss(loss, 1.0, 3, **of), "at_least", (1.0, 3)),
    "trimmed": (lambda loss, **of: TrimmedLoss(loss, 0.2, **of), "between", (0.0, 0.8)),
}
SHAPE = (6, 8, 5)
CLASSES = 4


def pixels(seed=0):
    """Labels, of which some are 255, and logits."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, SHAPE)
    labels[np.indices(SHAPE).sum(0) % 5 == 0] = 255
    return labels, rng.standard_normal((*SHAPE, CLASSES)).astype("float32")


def cross_entropy(**arguments):
    return keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=255, **arguments
    )


def values_of(labels, logits):
    """In float64: −log softmax at the label, 0 where ignored."""
    z = logits.astype(np.float64)
    log_sum = np.log(np.exp(z).sum(-1))
    at = np.take_along_axis(z, np.where(labels == 255, 0, labels)[..., None], -1)[..., 0]
    return np.where(labels == 255, 0, log_sum - at)


def weights_of(kind, shape=SHAPE):
    rng = np.random.default_rng(1)
    return {
        "none": None,
        "number": 2.0,
        "samples": rng.uniform(size=shape[:1]).astype("float32"),
        "column": rng.uniform(size=(shape[0], 1)).astype("float32"),
        "rows": rng.uniform(size=shape[:2]).astype("float32"),
        "elements": rng.uniform(size=shape).astype("float32"),
        "elements, an axis more": rng.uniform(size=(*shape, 1)).astype("float32"),
        "zero": np.zeros(shape[:1], "float32"),
    }[kind]


def with_gradient(loss, labels, logits, weight, mask):
    predictions = tf.Variable(logits)
    with tf.GradientTape() as tape:
        tensor = tf.convert_to_tensor(predictions)
        if mask is not None:
            tensor._keras_mask = tf.constant(mask)
        value = loss(labels, tensor, sample_weight=weight)
    slope = tape.gradient(value, predictions)
    return value, tf.convert_to_tensor(slope)


def reduced(parts, axis, valid, weight, reduction):
    """Of what each element adds to the mean of its group, Keras's reductions, over groups.

    And the factor of each element in that.
    """
    axes = axis if axis is not None else (0, 1, 2)
    means = parts.sum(axis=axes)
    if reduction in ("none", None):
        return means, 1.0
    groups = valid.any(axis=axes).sum()
    divisor = {
        "sum": 1.0,
        "mean_with_sample_weight": groups * (weight * valid).sum() / max(valid.sum(), 1),
    }.get(reduction, groups)
    return means.sum() / divisor, 1.0 / divisor


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("reduction", quick("mean", "mean_with_sample_weight", None, of=REDUCTIONS))
@pytest.mark.parametrize("axis", quick(None, (1, 2), of=[None, (1, 2), 0, (0, -1)]), ids=str)
@pytest.mark.parametrize("kind", ["none", "samples", "elements"])
@pytest.mark.parametrize("masked", [False, True])
def test_ranges(name, reduction, axis, kind, masked):
    make, range_kind, bounds = RANGES[name]
    labels, logits = pixels()
    weight = weights_of(kind)
    valid = labels != 255
    mask = None
    if masked:
        mask = np.ones(SHAPE[:2], bool)
        mask[0], mask[3, ::2] = False, False
        valid = valid & mask[..., None]
    values = values_of(labels, logits)
    _, shares = range_mean(values, bounds, range_kind, axis, valid)
    full = (
        np.ones(SHAPE)
        if weight is None
        else np.broadcast_to(weight.reshape(weight.shape + (1,) * (3 - weight.ndim)), SHAPE)
    )
    loss = make(cross_entropy(), axis=axis, reduction=reduction)
    found, slope = with_gradient(loss, labels, logits, weight, mask)
    wanted, factor = reduced(shares * full * values, axis, valid, full, reduction)
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-6)
    assert found.shape == np.shape(wanted)
    # By a value it is its part, and a value by the logits is softmax less the label.
    exponents = np.exp(logits.astype(np.float64))
    softmax = exponents / exponents.sum(-1, keepdims=True)
    one_hot = np.eye(CLASSES)[np.where(labels == 255, 0, labels)]
    by_logit = (factor * shares * full)[..., None] * (softmax - one_hot)
    near = 1e-5 * np.abs(by_logit).max()
    np.testing.assert_allclose(slope, by_logit, rtol=0, atol=near)


@pytest.mark.parametrize("name", [*RANGES, "tail"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights_of_one_change_nothing(name, reduction):
    labels, logits = pixels()
    make = RANGES[name][0] if name in RANGES else TailWeightedLoss
    loss = make(cross_entropy(), axis=(1, 2), reduction=reduction)
    alone, slope = with_gradient(loss, labels, logits, None, None)
    for weight in (1.0, np.ones(SHAPE[:1]), np.ones((SHAPE[0], 1)), np.ones(SHAPE)):
        found, its_slope = with_gradient(loss, labels, logits, weight, None)
        np.testing.assert_allclose(found, alone, rtol=1e-5)
        np.testing.assert_allclose(its_slope, slope, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(
    "kind", ["number", "samples", "column", "rows", "elements", "zero", "elements, an axis more"]
)
def test_weights_of_fewer_axes_are_of_the_first_ones(kind):
    labels, logits = pixels()
    weight = np.asarray(weights_of(kind), "float32")
    full = weight.reshape((*weight.shape, 1, 1, 1)[:3]) if weight.ndim < 4 else weight[..., 0]
    for make in (TailWeightedLoss, lambda loss: CVaRLoss(loss, 0.5, axis=0)):
        loss = make(cross_entropy())
        np.testing.assert_allclose(
            loss(labels, logits, sample_weight=weight),
            loss(labels, logits, sample_weight=np.broadcast_to(full, SHAPE)),
            rtol=1e-6,
        )


class Plain(keras.losses.Loss):
    """The weighted values by the reference, and everything else left to Keras."""

    def __init__(self, axis, mask, reduction):
        super().__init__(reduction=reduction)
        self.axis, self.mask = axis, mask

    def call(self, y_true, y_pred):
        values = cross_entropy().call(y_true, y_pred)
        valid = values._keras_mask
        if self.mask is not None:
            valid = valid & self.mask[..., None]
        losses = ops.tail_weighted(
            values,
            0.8,
            3.0,
            4.0,
            self.axis,
            mask=valid,
            impl="reference",
            gradient="fixed_weight",
            smoothing_unit="threshold",
        )
        losses._keras_mask = valid
        return losses


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("axis", quick(None, (1, 2), of=[None, (1, 2), 0]), ids=str)
@pytest.mark.parametrize("kind", ["none", "number", "elements", "zero"])
@pytest.mark.parametrize("masked", [False, True])
def test_weighted_tail(reduction, axis, kind, masked):
    labels, logits = pixels()
    weight = weights_of("elements" if kind == "zero" else kind)
    weight = 0 * weight if kind == "zero" else weight
    mask = np.indices(SHAPE[:2]).sum(0) % 3 != 0 if masked else None
    loss = TailWeightedLoss(cross_entropy(), 0.8, 4.0, 3.0, axis=axis, reduction=reduction)
    found, slope = with_gradient(loss, labels, logits, weight, mask)
    plain = Plain(axis, mask, reduction)
    # A mask of the samples' is one of pixels here; Keras itself would not take it so.
    wanted, wanted_slope = with_gradient(plain, labels, logits, weight, None)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)
    near = 1e-5 * np.abs(wanted_slope).max() + 1e-12
    np.testing.assert_allclose(slope, wanted_slope, rtol=0, atol=near)


def mae_under_another_name(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


def mse_under_another_name(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


@pytest.mark.parametrize("shape", [(24, 1), (6, 4, 1)])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, -1)], ids=str)
@pytest.mark.parametrize("kind", ["none", "samples"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("reduction", quick("mean", None, of=REDUCTIONS))
@pytest.mark.parametrize("error", ["mae", "mse"])
def test_residuals_are_fused_with_the_same_numbers(
    error, shape, axis, kind, masked, reduction, monkeypatch
):
    if axis == (0, -1) and len(shape) == 2:
        pytest.skip("one axis, twice")
    rng = np.random.default_rng(0)
    y_true, y_pred = (rng.standard_normal(shape).astype("float32") for _ in range(2))
    samples = shape[:-1]
    weight = rng.uniform(size=samples[:1]) if kind == "samples" else None
    mask = np.indices(samples).sum(0) % 3 != 0 if masked else None
    options = {"axis": axis, "reduction": reduction, "gradient": "exact"}
    other = mae_under_another_name if error == "mae" else mse_under_another_name
    wanted = with_gradient(TailWeightedLoss(other, **options), y_true, y_pred, weight, mask)
    monkeypatch.setattr(InnerLoss, "values", None)
    for given in (y_true, y_true[..., 0] if len(shape) == 2 else y_true):
        found = with_gradient(TailWeightedLoss(error, **options), given, y_pred, weight, mask)
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-6, atol=1e-9)
        near = 1e-5 * np.abs(wanted[1]).max()
        np.testing.assert_allclose(found[1], wanted[1], rtol=0, atol=near)


@pytest.mark.parametrize(
    ("true_shape", "pred_shape"), [((5, 3), (5, 3)), ((5, 3), (5, 1)), ((1, 1), (5, 1))]
)
def test_what_is_not_one_output_is_as_keras_has_it(true_shape, pred_shape):
    rng = np.random.default_rng(0)
    y_true, y_pred = (rng.standard_normal(s).astype("float32") for s in (true_shape, pred_shape))
    values = keras.losses.mean_absolute_error(y_true, y_pred)
    np.testing.assert_allclose(
        TailWeightedLoss("mae", reduction="none")(y_true, y_pred),
        ops.tail_weighted(values, 0.95, 5.0, 20.0, smoothing_unit="threshold"),
        rtol=1e-6,
    )


@keras.saving.register_keras_serializable(package="tests")
def squared(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


FORMS = {
    "short name": "mse",
    "name": "mean_squared_error",
    "name of a class": "MeanSquaredError",
    "class": keras.losses.MeanSquaredError,
    "instance": keras.losses.MeanSquaredError(),
    "instance with a reduction": keras.losses.MeanSquaredError(reduction="sum"),
    "function": keras.losses.mean_squared_error,
    "configuration": keras.losses.serialize(keras.losses.MeanSquaredError()),
    "registered function": squared,
    "lambda": lambda y_true, y_pred: (y_true - y_pred)[:, 0] ** 2,
}


@pytest.mark.parametrize("around", [*RANGES, "tail"])
@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_a_loss(around, form):
    loss = FORMS[form]
    rng = np.random.default_rng(0)
    y_true, y_pred = (rng.standard_normal((30, 1)).astype("float32") for _ in range(2))
    make = RANGES[around][0] if around in RANGES else TailWeightedLoss
    wanted = make("mse")(y_true, y_pred)
    np.testing.assert_allclose(make(loss)(y_true, y_pred), wanted, rtol=1e-6)
    np.testing.assert_allclose(make(loss)(y_true[:, 0], y_pred), wanted, rtol=1e-6)


def test_losses_of_losses():
    """Of images the one with the worst pixels; an image of which all is ignored is none."""
    labels, logits = pixels()
    labels[2] = 255
    per_image = CVaRLoss(cross_entropy(), 0.9, axis=(1, 2))
    _, shares = range_mean(values_of(labels, logits), (0.9, 1), "between", (1, 2), labels != 255)
    images = (shares * values_of(labels, logits)).sum((1, 2))
    worst = AverageTopKLoss(per_image, 2)(labels, logits)
    np.testing.assert_allclose(worst, np.sort(images)[-2:].mean(), rtol=1e-5)
    kept = np.delete(images, 2)
    trimmed = TrimmedLoss(per_image, 0.4)(labels, logits)
    np.testing.assert_allclose(trimmed, np.sort(kept)[:3].mean(), rtol=1e-5)
    weighted = AverageTopKLoss(TailWeightedLoss(cross_entropy(), 0.5, 1.0), fraction=1.0)
    np.testing.assert_allclose(
        weighted(labels, logits),
        TailWeightedLoss(cross_entropy(), 0.5, 1.0)(labels, logits),
        rtol=1e-5,
    )


def test_mask_of_a_call():
    labels, logits = pixels()
    mask = np.indices(SHAPE).sum(0) % 2 == 0
    for make in (TailWeightedLoss, lambda loss: CVaRLoss(loss, 0.5)):
        loss = make(cross_entropy())
        ignored = np.where(mask, labels, 255)
        np.testing.assert_allclose(
            loss(labels, logits, mask=mask), loss(ignored, logits), rtol=1e-6
        )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("around", [*RANGES, "tail"])
def test_dtype(around, weighted, dtype):
    rng = np.random.default_rng(0)
    y_true, y_pred = (rng.standard_normal((40, 3)).astype("float32") for _ in range(2))
    weight = np.linspace(0, 2, 40) if weighted else None
    make = RANGES[around][0] if around in RANGES else TailWeightedLoss
    found = make("mae", dtype=dtype)(y_true, y_pred, weight)
    assert found.dtype == dtype
    precise = make("mae", dtype="float64")(y_true, y_pred, weight)
    # Values, weights and sums are each rounded to it.
    rtol = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(tf.cast(found, tf.float64), precise, rtol=rtol)
    assert make(keras.losses.MeanAbsoluteError(dtype=dtype)).dtype == dtype
