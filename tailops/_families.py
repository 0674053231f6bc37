"""What each loss takes: its share of the table of options, as a signature and as "Args:".

An argument is explained in one place: an option in the table of `_options`, all else in `TEXTS`.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypedDict, TypeVar

from tailops._checks import require_one_of
from tailops._options import MAX_FRACTION, OPTIONS, RANK_RULES, VALUE, TailOptions
from tailops._signatures import describe, expand

__all__ = [
    "HYBRID_LOSS",
    "MAX_FRACTION_LOSS",
    "PERCENTILE_LOSS",
    "TAIL_OF_VALUES",
    "TAIL_WEIGHTED_LOSS",
    "CommonOptions",
    "Family",
    "PercentileOptions",
    "ValueOptions",
    "documented",
]

_Target = TypeVar("_Target", bound=Callable[..., Any])

TEXTS = {
    "y_true": "Targets, (batch, …, outputs); cast to y_pred's dtype.",
    "y_pred": "Predictions of the same shape, up to a last axis of 1: float32, float64, or float16 "
    "or bfloat16, which are computed in float32.",
    "options": "What to compute; None: the defaults.",
    "reduction": '"none" (per element), "per_sample" (mean over the last axis; per element below '
    'two dimensions), "mean" or "sum" (of the per-sample losses). Means are over the elements that '
    'are not ignored, "mean" over all of those at once; of none, 0.',
    "mask": "Booleans of y_pred's shape, or of that without its last axis: True where an element "
    "counts, False where it is ignored. None: all count.",
    "impl": '"fused", or, with Keras on TensorFlow, "reference" for the same in its plain ops.',
    "threads": "How many threads may work.",
}


# For static checkers, which cannot read the table. tests/test_arguments.py compares the two.
class CommonOptions(TypedDict, total=False):
    """The options that every loss takes by name."""

    error: str
    gradient: str
    axis: int | None
    epsilon: float
    smoothing_unit: str
    ignore_value: float | None
    ignore_nan: bool
    synchronized: bool


class PercentileOptions(CommonOptions, total=False):
    """Those of a loss whose threshold is a percentile."""

    method: str


class ValueOptions(TypedDict, total=False):
    """Those of the tail of values, which are their own errors."""

    method: str
    gradient: str
    smoothing_unit: str
    ignore_nan: bool
    synchronized: bool


class Argument(NamedTuple):
    """An option as a loss takes it."""

    option: str
    type: Any
    default: Any
    text: str


@dataclass(frozen=True)
class Family:
    """What one of the losses takes.

    Attributes:
        arguments: The options by the names that they have as its arguments, in their order.
        fixed: Options that are no arguments.
    """

    arguments: Mapping[str, Argument]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def options(self, *main: Any, **others: Any) -> TailOptions:
        """The options of such arguments; TypeError for one that the loss does not take."""
        given = dict(zip(self.arguments, main, strict=False)) | others
        for name, value in given.items():
            if name not in self.arguments:
                names = ", ".join(self.arguments)
                raise TypeError(f"{name}={value!r}: there is no such option; there are {names}")
        method = given.get("method")
        if isinstance(method, str):
            require_one_of("method", method, RANK_RULES)
        chosen = {
            argument.option: given.get(name, argument.default)
            for name, argument in self.arguments.items()
        }
        return TailOptions(**self.fixed, **chosen)

    def config(self, options: TailOptions) -> dict[str, Any]:
        """The arguments of such options."""
        config = options.get_config()
        return {name: config[one.option] for name, one in self.arguments.items()}


def _table(*left_out: str) -> dict[str, Argument]:
    return {
        name: Argument(name, option.type, option.default, option.metadata["text"])
        for name, option in OPTIONS.items()
        if name not in left_out
    }


PERCENTILE_LOSS = Family(_table("beta"))
HYBRID_LOSS = Family(_table() | {"beta": _table()["beta"]._replace(default=0.2)})


def _of_values(**defaults: Any) -> Family:
    """As of a percentile loss, but for what needs a residual; axes are no option."""
    texts = {
        "percentile": "p, a fraction in (0, 1]: which value is the threshold t.",
        "error_scale": "s ≥ 0: a value in the tail weighs 1 + s times.",
        "smoothing_unit": 'The unit of κ: "error" is 1/value; "threshold" is 1/|t|, so that the '
        "loss of c·v is c times as large: κ needs no tuning to the values' scale. t is held "
        "constant in it; where t is 0 or infinite, the step is a hard one.",
        "ignore_nan": "Whether values are ignored that are NaN.",
    }
    table = _table("beta", "error", "axis", "epsilon", "ignore_value")
    for name, text in texts.items():
        table[name] = table[name]._replace(text=text)
    for name, default in defaults.items():
        table[name] = table[name]._replace(default=default)
    return Family({name: table[name] for name in (*defaults, *table)}, fixed={"error": VALUE})


TAIL_OF_VALUES = _of_values(percentile=0.95)
TAIL_WEIGHTED_LOSS = _of_values(
    percentile=0.95,
    error_scale=20.0,
    smoothing_factor=5.0,
    gradient="fixed_weight",
    smoothing_unit="threshold",
)
MAX_FRACTION_LOSS = Family(
    {
        "fraction": _table()["percentile"]._replace(
            text="p, in (0, 1]: the threshold t is p times the largest error."
        )
    }
    | _table("percentile", "method", "beta"),
    fixed={"method": MAX_FRACTION},
)


def documented(
    family: Family | None = None, texts: Mapping[str, str] | None = None
) -> Callable[[_Target], _Target]:
    """Decorates a function, or a class by its constructor, as `_signatures` says.

    Args:
        family: Of the options in its signature; None: there are none.
        texts: What is said of its other arguments, where `TEXTS` says nothing or something else.
    """
    of_options = family.arguments if family else {}
    said = TEXTS | {name: one.text for name, one in of_options.items()} | dict(texts or {})

    def decorate(target: _Target) -> _Target:
        of_any: Any = target
        function = of_any.__init__ if isinstance(target, type) else of_any
        if family:
            kind = inspect.Parameter.KEYWORD_ONLY
            expand(
                function,
                (
                    inspect.Parameter(name, kind, default=one.default, annotation=one.type)
                    for name, one in of_options.items()
                ),
            )
        shown = inspect.signature(function).parameters
        describe(target, [name for name in shown if name != "self"], said)
        return target

    return decorate
