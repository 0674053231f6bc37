"""Which of the peers' tests tailops does not pass, and why: data for `peer_harness`.

Each test that is listed must fail, and by the listed reason: what its failure says is looked for.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Difference:
    """A reason.

    Attributes:
        why: In a sentence.
        shows: An expression that is found in each failure.
        tests: By peer, expressions of whole names.
    """

    why: str
    shows: str
    tests: dict


# What tailops does not take, and is not going to.
NOT_TAKEN = {
    "out=": Difference(
        "Tensors are not written to.",
        "NotTakenError: not taken: out=",
        {
            "numpy": (
                "TestPercentile::test_(api|scalar_q|percentile_out.*)",
                ".*::test_(keepdims_out|out|out_nan)(\\[.*)?",
            ),
            "numpy-nan": (
                ".*::test_(keepdims_out|out)(\\[.*)?",
                "TestNanFunctions_Percentile::test_nan_value_with_weight_ndim.*",
                "TestNanFunctions_Percentile::test_result_values.True-.*",
            ),
        },
    ),
    "overwrite_input=": Difference(
        "Tensors are not written to.",
        "NotTakenError: not taken: overwrite_input=",
        {
            "numpy": (
                "TestPercentile::test_percentile_overwrite",
                "TestMedian::test_overwrite_keyword",
            ),
        },
    ),
    "subclasses": Difference(
        "A result is a tensor, of no subclass of NumPy's arrays.",
        "NotTakenError: not taken: subclasses",
        {"numpy": ("TestMedian::test_subclass.*",)},
    ),
    "object arrays": Difference(
        "Tensors hold no Python objects: fractions, decimals, None.",
        "NotTakenError: not taken: object arrays",
        {
            "numpy": (
                ".*::test_(fraction|weibull_fraction|object)",
                ".*::test_\\w*gh_29003_Fraction",
                "TestPercentile::test_linear_interpolation.*-input_dtype18-.*",
                "TestQuantile::test_(inf_zeroes|nan)_err.*O-weights.*",
                "TestPercentile::test_(lower_higher|midpoint|nearest).O.",
            ),
            "numpy-nan": ("TestNanFunctions_NumberTypes::.*-O.",),
            "pandas-frame": ("TestDataFrameQuantile::test_quantile_axis_mixed.*",),
            "pandas-series": ("TestSeriesQuantile::test_quantile(_object_dtype_\\w+)?",),
        },
    ),
    "datetimes": Difference(
        "Tensors hold no datetimes and no differences of these.",
        "NotTakenError: not taken: datetimes",
        {
            "numpy": (".*::test_nat_\\w+\\[.*",),
            "numpy-nan": ("TestNanFunctions_Median::test_allnans.m8.*",),
        },
    ),
    "complex numbers": Difference(
        "They have no order: NumPy's nanmedian takes them, and its other functions do not.",
        "TypeError: x of dtype complex128: must be one of",
        {
            "numpy-nan": (
                "TestNanFunctions_NumberTypes::test_nanfunc.nanmedian-.*-[FDG].",
                "TestNanFunctions_Median::test_allnans.[FDG]-.*",
            )
        },
    ),
    "long double": Difference(
        "TensorFlow has no type of more than 64 bits.",
        "NotTakenError: not taken: long double",
        {
            "numpy": (
                "TestPercentile::test_linear_nan_1D.g.",
                "TestPercentile::test_linear_interpolation.*-longdouble-longdouble-.*",
                "TestPercentile::test_(lower_higher|midpoint|nearest).g.",
            ),
            "numpy-nan": (
                "TestNanFunctions_NumberTypes::.*-g.",
                ".*::test_allnans.(.*-)?g(-.*)?.",
            ),
        },
    ),
}

# What is different by design.
DOCUMENTED = {
    "weights beyond float64": Difference(
        "Their sum overflows in NumPy, and is exact here.",
        "DID NOT RAISE ValueError",
        {"numpy": ("TestQuantile::test_inf_zeroes_err.f8-weights3.",)},
    ),
    "a median's rounding": Difference(
        "Of an even number of elements it is that of NumPy's quantile of 1/2, which interpolates; "
        "NumPy's median halves a sum.",
        "Max relative difference among violations: \\d(\\.\\d+)?e-1[4-6]\\s",
        {"numpy-nan": ("TestNanFunctions_Median::test_small_large",)},
    ),
    "q's type": Difference(
        "NumPy promotes float32 by a q of float64, and interpolates integers to integers by an "
        "integer q; the result of `quantile` depends on x's dtype only.",
        "assert dtype\\('float(32|64)'\\) == (<class 'numpy.float64'>|dtype\\('u?int)",
        {
            "numpy": (".*::test_q_strong_promotion.*",),
            "numpy-nan": (".*::test_nanfunc_q.nanquantile-.*-[bBhHiIlLqQnNpP].",),
        },
    ),
    "q of booleans": Difference(
        "No fractions: `quantile` raises TypeError.",
        "TypeError: q.*: must be real numbers",
        {"numpy": ("TestQuantile::test_correct_quantile_value",)},
    ),
    "nothing there": Difference(
        "`quantile` of no elements is an error; NumPy's is NaN and a warning.",
        "there must be at least one element",
        {"numpy": ("TestMedian::test_empty",), "numpy-nan": (".*::test_empty",)},
    ),
    "warnings": Difference(
        "Where all is NaN, `nanquantile` is NaN without a warning: inside graphs there are none.",
        "Emitted warnings: \\[\\]",
        {"numpy-nan": (".*::test_allnans.*",)},
    ),
}

DIFFERENCES = NOT_TAKEN | DOCUMENTED
