"""Bad input: an error that names the argument, the value, and what is allowed."""

import numpy as np
import pytest
import tensorflow as tf

from tailops import _kernels, ops, reference
from tailops._options import TailOptions
from tailops._tensorflow.attributes import attributes_of
from tailops._tensorflow.library import library
from tailops.losses import (
    HybridPercentileLoss,
    MaxFractionLoss,
    PercentileLoss,
    hybrid_percentile_loss,
    max_fraction_loss,
    percentile_loss,
)

X = np.array([1.0, 2.0, 3.0], np.float32)

BAD_OPTIONS = [
    ({"percentile": 99}, ValueError, r"percentile=99.*\(0, 1\].*did you mean 0\.99\?"),
    ({"percentile": 0.0}, ValueError, r"percentile=0.*\(0, 1\]"),
    ({"percentile": -0.5}, ValueError, r"percentile=-0\.5.*\(0, 1\]"),
    ({"percentile": 101.0}, ValueError, r"percentile=101.*\(0, 1\]$"),
    ({"percentile": float("nan")}, ValueError, r"percentile=-?nan.*\(0, 1\]"),
    ({"percentile": "0.99"}, TypeError, r"percentile='0\.99'.*number, not str"),
    ({"percentile": None}, TypeError, r"percentile=None.*number, not NoneType"),
    ({"percentile": True}, TypeError, r"percentile=True.*number, not bool"),
    ({"percentile": 1 + 0j}, TypeError, r"percentile=\(1\+0j\).*number, not complex"),
    ({"smoothing_factor": -1.0}, ValueError, r"smoothing_factor=-1.*not negative"),
    ({"smoothing_factor": float("inf")}, ValueError, r"smoothing_factor=inf.*finite"),
    ({"smoothing_factor": float("nan")}, ValueError, r"smoothing_factor=-?nan.*finite"),
    ({"smoothing_factor": [1.0]}, TypeError, r"smoothing_factor=\[1\.0\].*number, not list"),
    ({"error_scale": -0.1}, ValueError, r"error_scale=-0\.1.*not negative"),
    ({"error_scale": 1e39}, ValueError, r"error_scale=1e\+39.*float32"),
    ({"epsilon": 0.0}, ValueError, r"epsilon=0.*positive"),
    ({"epsilon": -1.0}, ValueError, r"epsilon=-1.*positive"),
    ({"epsilon": 1e-50}, ValueError, r"epsilon=1e-50.*float32"),
    ({"error": "relative"}, ValueError, r"error='relative'.*'absolute', 'squared', 'smooth_abs"),
    ({"error": 2}, TypeError, r"error=2.*string, not int"),
    ({"method": "median"}, ValueError, r"method='median'.*'floor', 'lower', 'higher', 'nearest'"),
    ({"method": "max_fraction"}, ValueError, r"method='max_fraction': must be one of 'floor'"),
    ({"method": None}, TypeError, r"method=None.*string, not NoneType"),
    ({"gradient": "none"}, ValueError, r"gradient='none'.*'exact', 'fixed_threshold', 'fixed_w"),
    ({"smoothing_unit": "t"}, ValueError, r"smoothing_unit='t': must be one of 'error', 'thresh"),
    ({"smoothing_unit": 1}, TypeError, r"smoothing_unit=1.*string, not int"),
    ({"axis": 0.5}, TypeError, r"axis=0\.5.*integer or None, not float"),
    ({"axis": True}, TypeError, r"axis=True.*integer or None, not bool"),
    ({"axis": (0, 1)}, TypeError, r"axis=\(0, 1\).*integer or None, not tuple"),
]


@pytest.mark.parametrize(("bad", "error", "message"), BAD_OPTIONS)
def test_options(bad, error, message):
    with pytest.raises(error, match=message):
        PercentileLoss(**bad)
    for impl in ("fused", "reference"):
        with pytest.raises(error, match=message):
            percentile_loss(X, X, **bad, impl=impl)


@pytest.mark.parametrize("beta", [-0.1, 1.1, float("nan")])
def test_beta(beta):
    with pytest.raises(ValueError, match=r"beta=.*must be in \[0, 1\]"):
        HybridPercentileLoss(beta=beta)
    with pytest.raises(ValueError, match=r"beta=.*must be in \[0, 1\]"):
        hybrid_percentile_loss(X, X, beta=beta)


def test_fraction_is_called_so():
    for make in (MaxFractionLoss, lambda **bad: max_fraction_loss(X, X, **bad)):
        with pytest.raises(ValueError, match=r"^fraction=95.*did you mean 0\.95\?"):
            make(fraction=95)
        with pytest.raises(TypeError, match=r"^fraction='x'.*number"):
            make(fraction="x")


def test_impl_reduction_and_keras_reduction():
    with pytest.raises(ValueError, match=r"impl='fast'.*'fused', 'reference'"):
        percentile_loss(X, X, impl="fast")
    for f in (ops.tail_loss, reference.tail_loss):
        with pytest.raises(ValueError, match=r"reduction='max'.*'none', 'per_sample', 'mean'"):
            f(X, X, reduction="max")
    with pytest.raises(ValueError, match="reduction"):
        PercentileLoss(reduction="max")


EVERY_CALL = [percentile_loss, PercentileLoss(), max_fraction_loss, HybridPercentileLoss()]


@pytest.mark.parametrize("loss", EVERY_CALL)
@pytest.mark.parametrize(
    "y_pred", [np.array([1, 2, 3]), X.astype(complex), np.array(["a", "b", "c"]), X > 1]
)
def test_dtype_of_predictions(loss, y_pred):
    message = r"y_pred of dtype (int64|complex128|string|bool): must be one of float16, bfloat16"
    with pytest.raises(TypeError, match=message):
        loss(X, y_pred)


@pytest.mark.parametrize("loss", EVERY_CALL)
@pytest.mark.parametrize("y_true", [X.astype(complex), np.array(["a", "b", "c"])])
def test_dtype_of_targets(loss, y_true):
    with pytest.raises(TypeError, match=r"y_true of dtype (complex128|string): must be real"):
        loss(y_true, X)


@pytest.mark.parametrize("loss", EVERY_CALL)
@pytest.mark.parametrize(
    ("true_shape", "pred_shape"),
    [((3,), (4,)), ((3, 1), (1, 3)), ((3, 2), (3,)), ((1,), (3,)), ((), (3,)), ((2, 3, 1), (3,))],
)
def test_shapes_that_differ_or_only_broadcast(loss, true_shape, pred_shape):
    with pytest.raises(ValueError, match=r"y_true of shape \(.*y_pred of shape \(.*broadcast"):
        loss(np.zeros(true_shape, np.float32), np.zeros(pred_shape, np.float32))


def test_shapes_that_only_run_time_knows():
    @tf.function(input_signature=[tf.TensorSpec(None)] * 2)
    def loss(y_true, y_pred):
        return ops.tail_loss(y_true, y_pred)

    message = r"TailLoss.*y_true of shape \(3,\) and y_pred of shape \(3, 1\).*broadcast"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        loss(tf.zeros(3), tf.zeros((3, 1)))


@pytest.mark.parametrize("shape", [(0,), (0, 1), (5, 0)])
def test_empty(shape):
    message = r"TailLoss.*y_pred of shape \(.*empty"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        percentile_loss(tf.zeros(shape), tf.zeros(shape))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        PercentileLoss()(tf.zeros(shape), tf.zeros(shape))


def test_axis_out_of_range():
    for axis in (2, -3):
        message = rf"axis={axis}: must be in \[-2, 2\)"
        for impl in ("fused", "reference"):
            with pytest.raises(ValueError, match=message):
                percentile_loss(tf.zeros((3, 1)), tf.zeros((3, 1)), axis=axis, impl=impl)

    @tf.function(input_signature=[tf.TensorSpec(None)] * 2)
    def loss(y_true, y_pred):
        return ops.tail_loss(y_true, y_pred, TailOptions(axis=1))

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"axis=1: must be in \[-1, 1\)"):
        loss(tf.zeros(3), tf.zeros(3))


RAW = {**attributes_of(TailOptions()), "reduction": "mean"}


def test_the_raw_op_checks_its_attributes_itself():
    for bad, message in [
        ({"percentile": "99"}, r"percentile=99.*did you mean 0\.99"),
        ({"percentile": "zero"}, r"percentile='zero'.*number in decimal"),
        ({"beta": "2"}, r"beta=2.*\[0, 1\]"),
        ({"axis": [0, 1]}, r"axis has 2 entries"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            library.tailops_tail_loss(y_true=X, y_pred=X, numbers=[], mask=[], **{**RAW, **bad})


def test_the_raw_gradient_op_checks_its_inputs():
    good = {
        "upstream": tf.ones(()),
        "y_true": tf.zeros(3),
        "y_pred": tf.ones(3),
        "state": tf.ones((1, _kernels.STATE_COLUMNS), tf.float64),
    }
    library.tailops_tail_loss_grad(**good, numbers=[], mask=[], **RAW)
    for bad, message in [
        ({"upstream": tf.ones(3)}, r"upstream of shape \(3,\) must have the shape \(\)"),
        (
            {"state": tf.ones((2, _kernels.STATE_COLUMNS), tf.float64)},
            r"state of shape \(2, \d+\).*\(1, \d+\)",
        ),
        ({"state": tf.ones(6, tf.float64)}, r"state"),
        ({"y_true": tf.zeros(2)}, r"y_true of shape \(2,\) and y_pred of shape \(3,\)"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            library.tailops_tail_loss_grad(**{**good, **bad}, numbers=[], mask=[], **RAW)
