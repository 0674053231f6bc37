"""The options of the tail losses: one place where they are named, typed and checked."""

import operator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from tailops import _kernels
from tailops._checks import boolean, number

NUMBERS = ("percentile", "smoothing_factor", "error_scale", "beta", "epsilon")
NAMES = ("error", "method", "gradient")
# What the ops have as attributes, besides `axis` and `reduction`.
ATTRIBUTES = (*NUMBERS, *NAMES, "ignore_value", "ignore_nan")
MAX_FRACTION = "max_fraction"


def _axis(value: object) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"axis={value!r}: must be an integer or None, not {type(value).__name__}"
        ) from None


@dataclass(frozen=True)
class TailOptions:
    """What a tail loss computes.

    Attributes:
        percentile: Which error is the threshold, a fraction in (0, 1]; for the method
            "max_fraction", the fraction of the largest error.
        smoothing_factor: κ ≥ 0, how sharp the step at the threshold is, in 1/error.
        error_scale: s ≥ 0, how much more an error in the tail weighs.
        beta: Share of the squared error in the result, in [0, 1].
        error: "absolute", "squared" or "smooth_absolute".
        method: The rank rule: "floor", "lower", "higher", "nearest", "midpoint", "linear", or
            "max_fraction".
        gradient: "exact", "fixed_threshold" or "fixed_weight".
        axis: One threshold per slice along this axis; None: one for the whole batch.
        epsilon: ε > 0 of "smooth_absolute", in units of the error.
        ignore_value: Elements whose target is equal to it are as if they were not there.
        ignore_nan: Whether those are whose target or prediction is NaN.

    Raises:
        ValueError: An option is out of range.
        TypeError: An option is not of its type.
    """

    percentile: float = 0.99
    smoothing_factor: float = 100.0
    error_scale: float = 10.0
    beta: float = 0.0
    error: str = "absolute"
    method: str = "floor"
    gradient: str = "exact"
    axis: int | None = None
    epsilon: float = 1e-3
    ignore_value: float | None = None
    ignore_nan: bool = False

    # How the kernels select: as the group's size suggests. No option: see `forced`.
    _selection: ClassVar[str] = "auto"

    def __post_init__(self) -> None:
        of_max = self.method == MAX_FRACTION
        for field in NUMBERS:
            argument = "fraction" if of_max and field == "percentile" else field
            object.__setattr__(self, field, number(argument, getattr(self, field)))
        for field in NAMES:
            value = getattr(self, field)
            if not isinstance(value, str):
                raise TypeError(f"{field}={value!r}: must be a string, not {type(value).__name__}")
        object.__setattr__(self, "axis", _axis(self.axis))
        if self.ignore_value is not None:
            object.__setattr__(self, "ignore_value", number("ignore_value", self.ignore_value))
        object.__setattr__(self, "ignore_nan", boolean("ignore_nan", self.ignore_nan))
        self.for_kernels()

    @property
    def ignores(self) -> bool:
        """Whether some elements may be ignored."""
        return self.ignore_nan or self.ignore_value is not None

    def for_kernels(self) -> Any:
        """The options as the kernels take them; they check the ranges."""
        values = {key: value for key, value in asdict(self).items() if key != "axis"}
        return _kernels.Options(**values, selection=self._selection)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with which Keras saves what holds options."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TailOptions":
        """The options of such arguments."""
        return cls(**config)

    def attributes(self) -> dict[str, Any]:
        """The options as attributes of the TensorFlow ops: numbers in decimal, exactly."""
        return {
            **{field: repr(getattr(self, field)) for field in NUMBERS},
            **{field: getattr(self, field) for field in NAMES},
            "ignore_value": "" if self.ignore_value is None else repr(self.ignore_value),
            "ignore_nan": "true" if self.ignore_nan else "false",
            "axis": [] if self.axis is None else [self.axis],
        }


def percentile_options(percentile: float, method: str, **others: Any) -> TailOptions:
    """Options with one of the percentile's rank rules, which "max_fraction" is not."""
    allowed = [name for name in _kernels.METHODS if name != MAX_FRACTION]
    if isinstance(method, str) and method not in allowed:
        raise ValueError(f"method={method!r}: must be one of {', '.join(map(repr, allowed))}")
    return TailOptions(percentile=percentile, method=method, **others)


def max_fraction_options(fraction: float, **others: Any) -> TailOptions:
    """Options whose threshold is a fraction of the largest error."""
    return TailOptions(percentile=fraction, method=MAX_FRACTION, **others)


def forced(options: TailOptions, selection: str) -> TailOptions:
    """The same options, by which the kernels select as is said: for tests and benchmarks.

    Args:
        options: Any.
        selection: "auto" chooses by size. "sampled" and "radix" are the two ways; "miss" is the
            first, with a bracket that does not hold the rank.
    """
    kind: Any = type("TailOptions", (TailOptions,), {"_selection": selection})
    result: TailOptions = kind(**options.get_config())
    return result


def require_rank_of(axis: int | None, rank: int | None) -> None:
    """Raises ValueError if `axis` is outside a tensor of `rank` dimensions (None: unknown)."""
    if axis is None or rank is None or -rank <= axis < rank:
        return
    raise ValueError(f"axis={axis}: must be in [{-rank}, {rank}) for y_pred of {rank} dimension(s)")


def require_reduction(reduction: str) -> None:
    """Raises ValueError unless the kernels know this reduction."""
    if reduction not in _kernels.REDUCTIONS:
        raise ValueError(
            f"reduction={reduction!r}: must be one of {', '.join(map(repr, _kernels.REDUCTIONS))}"
        )
