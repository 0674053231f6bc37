"""What the losses around another loss refuse, and what they say."""

import keras
import numpy as np
import pytest

from tailops.losses import (
    AverageTopKLoss,
    CVaRLoss,
    OHEMLoss,
    TailWeightedLoss,
    TrimmedLoss,
)

Y = np.arange(12, dtype="float32").reshape(4, 3)


def whole_numbers(y_true, y_pred):  # noqa: ARG001
    return keras.ops.argmax(y_pred, axis=-1)


def scalar(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AverageTopKLoss("mae"), "k=None, fraction=None: one of them must be given"),
        (lambda: AverageTopKLoss("mae", 3, 0.5), r"k=3, fraction=0\.5: one of them"),
        (lambda: AverageTopKLoss("mae", 0), "k=0: must be above 0"),
        (lambda: AverageTopKLoss("mae", fraction=0.0), r"fraction=0: must be in \(0, 1\]"),
        (lambda: AverageTopKLoss("mae", fraction=1.5), r"fraction=1\.5: must be in \(0, 1\]"),
        (lambda: CVaRLoss("mae", 1.0), r"percentile=1: must be a fraction in \[0, 1\)"),
        (lambda: OHEMLoss("mae", min_kept=0), "min_kept=0: must be a whole number"),
        (lambda: OHEMLoss("mae", np.nan), "threshold=nan"),
        (lambda: TrimmedLoss("mae", 1.0), r"fraction=1: must be in \[0, 1\)"),
        (lambda: TailWeightedLoss("mae", 1.5), r"percentile=1\.5: must be a fraction in"),
        (lambda: TailWeightedLoss("mae", error_scale=-1.0), "error_scale=-1"),
        (lambda: TailWeightedLoss("mae", gradient="none"), "gradient='none': must be one of"),
        (lambda: CVaRLoss("no such loss"), "loss='no such loss': must be a loss of Keras"),
        (lambda: CVaRLoss("mae", reduction="average"), "reduction"),
        (lambda: CVaRLoss(scalar)(Y, Y), r"loss=scalar: returned a scalar .* shape \(4, 3\)"),
        (lambda: TailWeightedLoss("mae")(Y[0], Y[0]), "returned a scalar"),
        (lambda: CVaRLoss("mae", axis=1)(Y, Y), r"axis=1: must be in \[-1, 1\) for"),
        (lambda: TailWeightedLoss("mae", axis=1)(Y, Y), r"axis=1: must be in \[-1, 1\) for"),
        (lambda: TailWeightedLoss("mae", axis=1)(Y[:, :1], Y[:, :1]), r"axis=1: must be in"),
        (lambda: AverageTopKLoss("mae", 5)(Y, Y), "k=5: must be at most .* 4"),
        (lambda: CVaRLoss("mae")(Y, Y, np.ones(3)), r"sample_weight of shape \(3,\): must broad"),
        (lambda: CVaRLoss("mae")(Y, Y, mask=np.ones(3, bool)), r"mask of shape \(3,\): must broad"),
    ],
)
def test_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CVaRLoss(None), "loss=None: must be a loss of Keras"),
        (lambda: CVaRLoss(whole_numbers)(Y, Y), "loss=whole_numbers: its values are of dtype int"),
        (lambda: CVaRLoss("mae", "0.5"), "percentile='0.5': must be a number"),
        (lambda: TailWeightedLoss("mae", error="squared"), "error='squared': there is no such"),
        (lambda: TailWeightedLoss("mae", beta=0.5), r"beta=0\.5: there is no such option"),
        (lambda: CVaRLoss("mae", axis="rows")(Y, Y), "axis='rows': must be an integer"),
    ],
)
def test_types(make, message):
    with pytest.raises(TypeError, match=message):
        make()
