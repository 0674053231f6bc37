"""The options of the tail losses: one table of names, types, defaults, checks and descriptions.

`TailOptions` is the table. What the losses take, their signatures and what is said of them is made
from it in `_families`; the ranges of the numbers are checked by the kernels, which know no other
way in.
"""

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, ClassVar

from tailops import _checks, _kernels
from tailops._checks import boolean, number, optional_number, require_one_of, string
from tailops._numbers import number_in_config, number_or_scalar
from tailops._signatures import describe

MAX_FRACTION = "max_fraction"
# What a schedule may move, in the order of StepNumbers of csrc/call/options.h.
SCHEDULED = ("percentile", "smoothing_factor", "error_scale")
VALUE = "value"
# The methods by which the threshold is a percentile.
RANK_RULES = tuple(name for name in _kernels.METHODS if name != MAX_FRACTION)


def _names(names: Sequence[str], last: str = " or ") -> str:
    """As a sentence has them."""
    quoted = [f'"{name}"' for name in names]
    return ", ".join(quoted[:-1]) + last + quoted[-1]


def _option(default: object, check: Callable[[str, object], object], text: str) -> Any:
    """An entry of the table.

    Args:
        default: Its value where nothing is said.
        check: A function of the argument's name and value: the value in its own type, or a
            TypeError that says what is allowed.
        text: What it means, for "Args:" sections.
    """
    return field(default=default, metadata={"check": check, "text": text})


@dataclass(frozen=True)
class TailOptions:
    """What a tail loss computes; formulas in `tailops.losses.percentile_loss`.

    One more method, "max_fraction", makes `percentile` times the largest error the threshold.

    Args:
        ...: Each of the fields, as it says of itself.

    Raises:
        ValueError: An option is out of range.
        TypeError: An option is not of its type.
    """

    percentile: Any = _option(
        0.99,
        number_or_scalar,
        "p, a fraction in (0, 1]: which error is the threshold t. 0.99 of a batch of fewer than "
        "100 elements is its maximum. Like κ and s also a scalar tensor or a variable, read at "
        "each step; without a gradient.",
    )
    smoothing_factor: Any = _option(
        100.0,
        number_or_scalar,
        "κ ≥ 0, in the `smoothing_unit`: how sharp the step at t is. It is soft within about ±3/κ "
        "of t.",
    )
    error_scale: Any = _option(
        10.0, number_or_scalar, "s ≥ 0: an error in the tail weighs 1 + s times."
    )
    beta: float = _option(
        0.0,
        number,
        "β, in [0, 1]: the share of the squared error d², whatever e is. The two have different "
        "units: the right share depends on the scale of the targets.",
    )
    error: str = _option(
        "absolute",
        string,
        f"What e is: {_names(_kernels.ERRORS)}. "
        '"value" is the prediction itself, of any sign: targets are not read.',
    )
    method: str = _option(
        "floor",
        string,
        'The rank of t among n errors: "floor" is min(⌊n·p⌋, n − 1), 0-based; '
        f"{_names(RANK_RULES[1:], ' and ')} are those of `numpy.quantile`.",
    )
    gradient: str = _option(
        "exact",
        string,
        '"exact" differentiates everything, t included, the gradient of t split equally over the '
        'elements equal to it. "fixed_threshold" holds t constant. "fixed_weight" holds 1 + s·h '
        "constant, which is what training wants: the exact gradient has a spike of height ½·κ·s·e "
        "at t.",
    )
    axis: int | None = _option(
        None,
        _checks.axis,
        "None: one threshold for the whole batch. Otherwise one per slice along this axis: 0 gives "
        "each output its own.",
    )
    epsilon: float = _option(1e-3, number, 'ε > 0 of "smooth_absolute", in units of the error.')
    smoothing_unit: str = _option(
        "error",
        string,
        'The unit of κ: "error" is 1/error; "threshold" is 1/|t|, so that the loss of c·y and c·ŷ '
        "is c times as large: κ needs no tuning to the targets' scale. t is held constant in it; "
        "where t is 0 or infinite, the step is a hard one.",
    )
    ignore_value: float | None = _option(
        None,
        optional_number,
        "Elements whose target is equal to it are ignored: they count neither for t nor for any "
        "mean, and have no gradient. A sample of which all are ignored has the loss 0.",
    )
    ignore_nan: bool = _option(
        False, boolean, "Whether elements are ignored whose target or prediction is NaN."
    )
    synchronized: bool = _option(
        False,
        boolean,
        "Whether the threshold is that of all replicas' shares of the batch together, exactly, as "
        "on one device, under `tf.distribute`; False: each replica has that of its own share. "
        "Groups within a sample are the same either way. On JAX an array is one batch either way; "
        "True: its shards stay where they are, and no device gathers them.",
    )

    # How the kernels select: as the group's size suggests. No option: see `forced`.
    _selection: ClassVar[str] = "auto"

    def __post_init__(self) -> None:
        of_max = self.method == MAX_FRACTION
        for name, option in OPTIONS.items():
            argument = "fraction" if of_max and name == "percentile" else name
            checked = option.metadata["check"](argument, getattr(self, name))
            object.__setattr__(self, name, checked)
        self.known().for_kernels()

    @property
    def is_scheduled(self) -> bool:
        """Whether a number is a framework's: known only when a step runs."""
        return any(not isinstance(number, float) for number in self.numbers)

    @property
    def numbers(self) -> tuple[Any, Any, Any]:
        """Those that may be scheduled."""
        return self.percentile, self.smoothing_factor, self.error_scale

    def read(
        self, tensor: Callable[[Any], Any], known_number: Callable[[Any], float | None]
    ) -> "TailOptions":
        """The same with tensors of what its variables hold now.

        Args:
            tensor: Makes one of a number.
            known_number: What a tensor holds, if that is known.

        Raises:
            ValueError: It is known to be out of range.
        """
        read = self._scheduled(lambda _, number: tensor(number))

        def if_known(_: str, number: Any) -> Any:
            known = known_number(number)
            return number if known is None else known

        read._scheduled(if_known)  # its checks are wanted, not its floats: those make ops anew
        return read

    def known(self) -> "TailOptions":
        """What kernels have as options, if other replicas are somebody else's business.

        Numbers that only a step knows have their defaults.
        """
        known = self._scheduled(lambda name, _: OPTIONS[name].default)
        return replace(known, synchronized=False) if self.synchronized else known

    def of_errors(self) -> "TailOptions":
        """What selects the same threshold from errors that are known."""
        return TailOptions(
            percentile=self.percentile, method=self.method, error=VALUE, axis=self.axis
        )

    def for_batch(self, rank: int | None) -> "TailOptions":
        """Not synchronized where no group has elements of several samples.

        Args:
            rank: Of the predictions, whose first axis is the batch's; None: unknown.
        """
        if (
            not self.synchronized
            or self.axis is None
            or self.axis == 0
            or self.axis == -(rank or 0)
        ):
            return self
        if rank is None and self.axis < 0:
            raise ValueError(f"axis={self.axis}, synchronized=True: the rank must be known")
        return replace(self, synchronized=False)

    # Most options have none: they are asked at every call.
    def _scheduled(self, as_what: Callable[[str, Any], Any]) -> "TailOptions":
        if not self.is_scheduled:
            return self
        changed: dict[str, Any] = {
            name: as_what(name, number)
            for name, number in zip(SCHEDULED, self.numbers, strict=True)
            if not isinstance(number, float)
        }
        return replace(self, **changed)

    @property
    def ignores(self) -> bool:
        """Whether some elements may be ignored."""
        return self.ignore_nan or self.ignore_value is not None

    @property
    def reads_targets(self) -> bool:
        """Whether an error is of a target; otherwise that has no gradient."""
        return self.error != VALUE

    def for_kernels(self) -> Any:
        """The options as the kernels take them.

        Raises:
            ValueError: One is out of range.
            TypeError: A number is a framework's: it must be known here.
        """
        values = {name: getattr(self, name) for name in OPTIONS}
        for name in SCHEDULED:
            number(name, values[name])
        if values.pop("synchronized"):
            raise ValueError("synchronized=True: must be False here, where there are no replicas")
        del values["axis"]
        return _kernels.Options(**values, selection=self._selection)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with which Keras saves what holds options.

        Of a variable it is the number that it holds now.
        """
        return {name: number_in_config(getattr(self, name)) for name in OPTIONS}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TailOptions":
        """The options of such arguments."""
        return cls(**config)


OPTIONS: dict[str, Field[Any]] = {option.name: option for option in fields(TailOptions)}
describe(TailOptions, OPTIONS, {name: option.metadata["text"] for name, option in OPTIONS.items()})


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
    require_one_of("reduction", reduction, _kernels.REDUCTIONS)
