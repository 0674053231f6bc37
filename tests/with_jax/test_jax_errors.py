"""`tailops.jax`: what is refused, by Python or by a handler, and what says so."""

import numpy as np
import pytest

from tailops import _kernels, build_info, kernels
from tailops._options import TailOptions

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from modes import x64  # noqa: E402, F401

import tailops.jax as tj  # noqa: E402

X = np.float32([1.0, 2.0, 3.0])
ERRORS = [
    (lambda: tj.percentile_loss(X, X, 99), ValueError, r"percentile=99.*did you mean 0\.99"),
    (lambda: tj.percentile_loss(X, X, "0.9"), TypeError, r"percentile='0\.9'.*not str"),
    (lambda: tj.percentile_loss(X, X, method="median"), ValueError, "method='median'.*'floor'"),
    (lambda: tj.max_fraction_loss(X, X, 95), ValueError, r"fraction=95.*did you mean 0\.95"),
    (lambda: tj.hybrid_percentile_loss(X, X, beta=2), ValueError, r"beta=2.*\[0, 1\]"),
    (lambda: tj.tail_loss(X, X, reduction="max"), ValueError, "reduction='max'.*'none', 'per_"),
    (lambda: tj.percentile_loss(X, X, axis=1), ValueError, r"axis=1: must be in \[-1, 1\)"),
    (lambda: tj.percentile_loss(X, X > 1), TypeError, "y_pred of dtype bool: must be one of"),
    (lambda: tj.percentile_loss(X, [1, 2, 3]), TypeError, "y_pred of dtype int64: must be one"),
    (lambda: tj.percentile_loss(X + 1j, X), TypeError, "y_true of dtype complex64: must be real"),
    (lambda: tj.percentile_loss(X, X.astype(object)), TypeError, "y_pred of dtype object: must be"),
    (lambda: tj.percentile_loss(X, X, mask=X.astype(object)), TypeError, "mask of dtype object"),
    (lambda: tj.percentile_loss(X, X[:2]), ValueError, r"\(3,\) and y_pred of shape \(2,\)"),
    (lambda: tj.percentile_loss(X[:0], X[:0]), ValueError, r"y_pred of shape \(0,\) is empty"),
    (lambda: jax.jit(tj.percentile_loss)(X, X, X), ValueError, r"percentile of shape \(3,\): must"),
    (lambda: jax.jit(tj.percentile_loss)(X, X, X[0] > 1), TypeError, "percentile of dtype bool"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_errors_inside_a_handler():
    """Python lets none of these through: a call that is made by hand."""
    from tailops.jax._custom_calls import attributes_of

    def call(y_true=X, y_pred=X, dtype=X.dtype, words=2 * _kernels.STATE_COLUMNS, **changed):
        results = jax.ShapeDtypeStruct((), dtype), jax.ShapeDtypeStruct((1, words), jnp.uint32)
        attributes = {**attributes_of(TailOptions(), "mean", rank=1), **changed}
        return jax.ffi.ffi_call("tailops_tail_loss", results)(y_true, y_pred, **attributes)

    assert call()[0] == 0.0
    whole = X.astype(np.int32)
    size = kernels.STATE.itemsize
    for changed, message in [
        ({"percentile": np.float64(99)}, r"percentile=99.*did you mean 0\.99"),
        ({"percentile": "0.99"}, "attribute percentile"),
        ({"reduction": np.int64(0)}, r"loss of shape \(\) must have the shape \(3,\)"),
        ({"rank": np.int64(2)}, r"rank=2: must be in \[0, 1\]"),
        ({"y_true": X[:2]}, r"y_true of shape \(2,\) and y_pred of shape \(3,\)"),
        ({"y_true": whole}, "y_true of dtype S32: must be F32, like the others"),
        ({"dtype": np.float16}, "loss of dtype F16: must be F32, like the others"),
        ({"words": 6}, f"state of 24 bytes: must have {size}, {size} for each of 1 rows"),
        (
            {"y_true": whole, "y_pred": whole, "dtype": np.int32},
            "elements of dtype S32: must be one of F16, BF16, F32, F64",
        ),
    ]:
        with pytest.raises(RuntimeError, match=f"tailops_tail_loss: {message}"):
            jax.block_until_ready(call(**changed))


def test_no_second_derivative():
    def total(x):
        return tj.percentile_loss(X, x).sum()

    for twice in (
        jax.hessian,
        lambda f: jax.jacfwd(jax.jacfwd(f)),
        lambda f: jax.jacrev(jax.grad(f)),
    ):
        with pytest.raises(NotImplementedError, match="no second derivative"):
            twice(total)(X)
