"""Random problems, each of a seed and an index alone. Plain data: nothing here is of tailops.

What is drawn from is written out, so that the same problems come after a list has grown elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from families import residuals

FAMILIES = (
    "random", "constant", "zeros", "two_values", "few_values", "sorted", "reversed",
    "tied_at_the_top", "one_exponent", "heavy_tail", "half_zeros",
)  # fmt: skip
EXTREME = ("subnormal", "infinite", "huge", "mixed_scales", "far_apart", "every_key", "both_ends")
FLOATS = ("float32", "float32", "float64", "float64", "float16", "bfloat16")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
ERRORS = ("absolute", "squared", "smooth_absolute")
RULES = ("floor", "lower", "higher", "nearest", "midpoint", "linear")
GRADIENTS = ("exact", "fixed_threshold", "fixed_weight")
REDUCTIONS = ("none", "per_sample", "mean", "sum")
PATHS = ("auto", "auto", "sampled", "miss", "radix")
UPSTREAMS = ("positive", "any sign", "ones", "some zeros")
IGNORED = -7.0

# Where something changes inside: vectors, tiles, networks, blocks, samples, threads' shares.
BORDERS = (8, 16, 24, 32, 64, 128, 256, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536)
FEW_BORDERS = (1, 2, 8, 16, 24, 32, 64, 128, 256)
# Beyond these many elements of four and eight bytes a result is written past the caches.
STREAMED = {"float32": 1_100_000, "float64": 560_000}
MOST = (30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
ONE_OF_STREAMED = 400


def _log_uniform(rng, most):
    return int(np.exp(rng.uniform(0, np.log(most + 1))))


def _near(rng, borders, most):
    border = int(rng.choice([b for b in borders if b <= max(most, borders[0])]))
    return max(1, border + int(rng.integers(-1, 2)))


def shape_of(rng):
    """Up to about 100,000 elements, most of them few, some at a border."""
    most = int(rng.choice(MOST))
    kind = rng.integers(7)
    if kind == 0:
        return (_log_uniform(rng, most),)
    if kind == 1:
        return (_near(rng, BORDERS, most),)
    if kind == 2:  # many groups of few, or few columns
        length = _near(rng, FEW_BORDERS, most)
        return (max(1, int(rng.integers(1, max(2, most // length + 1)))), length)
    if kind == 3:  # few groups of many, or many columns
        length = _near(rng, BORDERS, most)
        return (max(1, min(most // length, int(rng.integers(1, 40)))), length)
    rows = _log_uniform(rng, most)
    rest = max(1, most // rows)
    if kind == 4:
        return (rows, _log_uniform(rng, rest))
    middle = _log_uniform(rng, rest)
    last = _log_uniform(rng, max(1, rest // middle))
    return (rows, middle, last) if kind == 5 else (last, rows, middle)


def _text(value):
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass
class Problem:
    """What all have."""

    about: str
    threads: int
    instruction_set: str
    arriving: str
    seed: list[int]

    def upstream(self, shape):
        """The gradient that arrives at a result of this shape."""
        rng = np.random.default_rng([*self.seed, 1])
        low = -2.0 if self.arriving == "any sign" else 0.5
        found = np.asarray(rng.uniform(low, 2, shape))
        if self.arriving == "ones":
            found = np.ones(shape)
        if self.arriving == "some zeros":
            found = np.where(rng.random(shape) < 0.3, 0.0, found)
        return found.astype(self.dtype)

    def how(self):
        """In words."""
        return f"threads={self.threads} {self.instruction_set} upstream={self.arriving}"


@dataclass
class Loss(Problem):
    """A tail loss."""

    y_true: np.ndarray
    y_pred: np.ndarray
    options: dict
    reduction: str
    mask: np.ndarray | None
    path: str
    over: str

    @property
    def dtype(self):
        return self.y_pred.dtype

    @property
    def inputs(self):
        return [a for a in (self.y_true, self.y_pred, self.mask) if a is not None]

    def __str__(self):
        words = " ".join(f"{key}={_text(value)}" for key, value in self.options.items())
        masked = "" if self.mask is None else " mask"
        over = "" if self.over == "nothing" else f" over={self.over}"
        return (
            f"loss {self.dtype}{self.y_pred.shape} {self.about}: {words} "
            f"{self.reduction}{masked} path={self.path}{over} {self.how()}"
        )


@dataclass
class Selection(Problem):
    """A selection."""

    x: np.ndarray
    q: tuple[float, ...]
    method: str
    axis: int | None
    ignore_nan: bool

    @property
    def dtype(self):
        return self.x.dtype

    @property
    def inputs(self):
        return [self.x]

    @property
    def by_rank(self):
        return self.method.startswith("rank")

    @property
    def differentiable(self):
        return self.dtype.name not in INTEGERS

    def __str__(self):
        q = ",".join(f"{one:.6g}" for one in self.q)
        return (
            f"selection {self.dtype}{self.x.shape} {self.about}: {self.method} q={q} "
            f"axis={self.axis} ignore_nan={self.ignore_nan} {self.how()}"
        )


def _common(rng, about, sets, seed):
    return {
        "about": about,
        "threads": int(rng.integers(1, 3)),
        "instruction_set": str(rng.choice(sets)),
        "arriving": str(rng.choice(UPSTREAMS)),
        "seed": seed,
    }


def _axis(rng, shape):
    return None if rng.random() < 0.45 else int(rng.integers(-len(shape), len(shape)))


def _family(rng):
    return str(rng.choice(EXTREME if rng.random() < 0.25 else FAMILIES))


def _ignored(rng, y_true, y_pred):
    """The options that ignore, and a mask or None; what is ignored is absurd, to leave a trace."""
    options, mask = {}, None
    share = rng.choice([0.0, 0.01, 0.3, 0.9, 1.0])
    for rule in rng.permutation(["mask", "nan", "value"])[: rng.choice([0, 0, 0, 1, 1, 2, 3])]:
        gone = rng.random(y_pred.shape) < share
        if rule == "mask":
            mask = ~gone
            y_pred[gone] = rng.choice([np.nan, np.inf, 3.0])
        elif rule == "nan":
            options["ignore_nan"] = True
            (y_true if rng.random() < 0.5 else y_pred)[gone] = np.nan
        else:
            options["ignore_value"] = IGNORED
            y_true[gone] = IGNORED
    return options, mask


def loss_problem(rng, sets, seed, streamed):
    """A loss and its gradient."""
    dtype = np.dtype(str(rng.choice(list(STREAMED) if streamed else FLOATS)))
    shape = (STREAMED[dtype.name],) if streamed else shape_of(rng)
    family, n = _family(rng), int(np.prod(shape))
    d = residuals(family, n, np.float64 if family in FAMILIES else dtype, seed[1]).reshape(shape)
    # Targets are multiples of a quarter, so that residuals tie as the family made them.
    y_true = rng.integers(-2, 3, shape) / 4 * (rng.random() < 0.7)
    with np.errstate(over="ignore"):
        y_pred = (y_true + d.astype(np.float64)).astype(dtype)
    y_true = y_true.astype(dtype)
    ignoring, mask = _ignored(rng, y_true, y_pred)
    if rng.random() < 0.04:
        y_pred.flat[rng.integers(n)] = np.nan
    of_maximum = rng.random() < 0.14
    options = {
        "percentile": float(rng.choice([0.01, 0.3, 0.5, 0.9, 0.97, 0.99, 1.0])),
        "smoothing_factor": float(rng.choice([0.0, 0.5, 7.0, 7.0, 100.0, 1e4])),
        "error_scale": float(rng.choice([0.0, 3.0, 10.0, 10.0])),
        "beta": float(rng.choice([0.0, 0.0, 0.3, 1.0])),
        "error": str(rng.choice(ERRORS)),
        "method": "max_fraction" if of_maximum else str(rng.choice(RULES)),
        "gradient": str(rng.choice(GRADIENTS)),
        "axis": _axis(rng, shape),
        "epsilon": float(rng.choice([1e-3, 0.3, 20.0])),
        **ignoring,
    }
    return Loss(
        **_common(rng, family, sets, seed),
        y_true=y_true,
        y_pred=y_pred,
        options=options,
        reduction=str(rng.choice(REDUCTIONS)),
        mask=mask,
        path=str(rng.choice(PATHS)),
        over=str(rng.choice(["nothing", "nothing", "y_true", "y_pred"])),
    )


def _integers(rng, shape, dtype):
    """With both ends of the range, and ties."""
    limits = np.iinfo(dtype)
    x = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    x.flat[:: max(1, x.size // 3)] = rng.choice(np.array([limits.min, limits.max, 0, 1], dtype))
    return x


def selection_problem(rng, sets, seed):
    """Quantiles, or elements of some ranks."""
    shape = shape_of(rng)
    of_integers = rng.random() < 0.25
    dtype = np.dtype(str(rng.choice(INTEGERS if of_integers else FLOATS)))
    axis, count = _axis(rng, shape), int(rng.choice([1, 1, 2, 3, 5, 9, 17, 40]))
    by_rank, ignore_nan = of_integers or rng.random() < 0.3, False
    if of_integers:
        about, x = "integers", _integers(rng, shape, dtype)
    else:
        about = _family(rng)
        x = residuals(about, int(np.prod(shape)), dtype, seed[1]).reshape(shape)
        x[rng.random(shape) < rng.choice([0.0, 0.0, 0.001, 0.3, 1.0])] = -np.nan
        ignore_nan = not by_rank and rng.random() < 0.5
    if by_rank:
        length = int(np.prod(shape)) if axis is None else shape[axis]
        q = tuple(float(k) for k in rng.integers(0, length, count))
        method = str(rng.choice(["rank", "rank_from_top"]))
    else:
        q = tuple(
            float(k) for k in rng.choice([0, 0.1, 1 / 3, 0.5, 0.99, 1, *rng.random(4)], count)
        )
        method = str(rng.choice(RULES))
    return Selection(
        **_common(rng, about, sets, seed), x=x, q=q, method=method, axis=axis, ignore_nan=ignore_nan
    )


def problem_of(seed, index, sets):
    """The problem of this seed and index, on one of these instruction sets."""
    rng = np.random.default_rng([seed, index])
    if index % 10 < 7:
        return loss_problem(rng, sets, [seed, index], streamed=index % ONE_OF_STREAMED == 1)
    return selection_problem(rng, sets, [seed, index])
