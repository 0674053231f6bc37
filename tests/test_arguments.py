"""One table of options: what signatures, checks, documentation and static checkers say of it."""

import dataclasses
import importlib
import inspect
import re
import subprocess
import sys
import typing

import numpy as np
import pytest
import tensorflow as tf

from tailops import _kernels, _signatures, build_info, losses
from tailops._families import (
    HYBRID_LOSS,
    MAX_FRACTION_LOSS,
    PERCENTILE_LOSS,
    TAIL_OF_VALUES,
    TAIL_WEIGHTED_LOSS,
    CommonOptions,
    PercentileOptions,
    ValueOptions,
)
from tailops._options import OPTIONS, TailOptions

MODULES = ["callbacks", "cuda", "jax", "kernels", "losses", "metrics", "ops", "reference"]
# Each loss: its options, those that it takes in their order, and those that it takes by name.
LOSSES = {
    "percentile_loss": (PERCENTILE_LOSS, 3, PercentileOptions),
    "PercentileLoss": (PERCENTILE_LOSS, 3, PercentileOptions),
    "max_fraction_loss": (MAX_FRACTION_LOSS, 3, CommonOptions),
    "MaxFractionLoss": (MAX_FRACTION_LOSS, 3, CommonOptions),
    "hybrid_percentile_loss": (HYBRID_LOSS, 4, PercentileOptions),
    "HybridPercentileLoss": (HYBRID_LOSS, 4, PercentileOptions),
    "TailWeightedLoss": (TAIL_WEIGHTED_LOSS, 3, ValueOptions),
    "tail_weighted": (TAIL_OF_VALUES, 3, ValueOptions),
}
PLACES = [
    *(("losses", name) for name in LOSSES if name != "tail_weighted"),
    *(("jax", name) for name in LOSSES if name.islower()),
    ("ops", "tail_weighted"),
]
X = np.float32([1.0, 2.0, 4.0])


def import_or_skip(module):
    if module == "jax":
        pytest.importorskip("jax")
        if not build_info()["jax"]:
            pytest.skip("built without kernels for JAX")
    return importlib.import_module(f"tailops.{module}")


def public(module):
    """The functions and classes that take arguments of a user's."""
    for name, value in vars(module).items():
        ours = getattr(value, "__module__", "").startswith("tailops")
        result = isinstance(value, type) and issubclass(value, tuple)
        if name in module.__all__ and ours and callable(value) and not result:
            yield name, value


def described(function):
    """The names in the docstring's Args, in their order."""
    found = re.search(r"^Args:\n((?: .*\n|\n)+)", inspect.getdoc(function) + "\n", re.MULTILINE)
    return re.findall(r"^    (\w+): ", found.group(1), re.MULTILINE) if found else []


@pytest.mark.parametrize("module", MODULES)
def test_every_argument_is_described(module):
    functions = dict(public(import_or_skip(module)))
    assert functions
    for name, function in functions.items():
        taken = list(inspect.signature(function).parameters)
        assert sorted(described(function)) == sorted(taken), name
        assert "...:" not in inspect.getdoc(function), name


@pytest.mark.parametrize(("module", "name"), PLACES)
def test_signatures_are_of_the_table(module, name):
    loss = getattr(import_or_skip(module), name)
    family, in_order, keywords = LOSSES[name]
    parameters = inspect.signature(loss).parameters
    options = [name for name in parameters if name in family.arguments]
    assert options == list(family.arguments)
    for option in options:
        argument = family.arguments[option]
        shown = parameters[option].default, parameters[option].annotation
        assert shown == (argument.default, argument.type), option
        assert repr(shown[0]) == repr(argument.default), option  # 1 is not 1.0
    kinds = [parameters[option].kind for option in options]
    assert kinds[:in_order] == [inspect.Parameter.POSITIONAL_OR_KEYWORD] * in_order
    assert kinds[in_order:] == [inspect.Parameter.KEYWORD_ONLY] * (len(kinds) - in_order)
    # What static checkers read of those.
    by_name = {option: family.arguments[option].type for option in options[in_order:]}
    assert typing.get_type_hints(keywords) == by_name
    hints = typing.get_type_hints(loss.__init__ if isinstance(loss, type) else loss)
    assert {option: hints[option] for option in by_name} == by_name


def test_the_table():
    fields = {field.name: field.type for field in dataclasses.fields(TailOptions)}
    assert list(OPTIONS) == list(inspect.signature(TailOptions).parameters) == list(fields)
    assert described(TailOptions) == list(fields)
    for names in (
        _kernels.ERRORS,
        _kernels.METHODS,
        _kernels.GRADIENTS,
        _kernels.SMOOTHING_UNITS,
    ):
        for name in names:
            assert f'"{name}"' in inspect.getdoc(TailOptions)
    for family in (PERCENTILE_LOSS, MAX_FRACTION_LOSS, HYBRID_LOSS):
        offered = [argument.option for argument in family.arguments.values()]
        assert set(offered) | set(family.fixed) | {"beta"} == set(fields)
        assert family.options() == TailOptions(
            **family.fixed, beta=0.2 if family is HYBRID_LOSS else 0.0
        )
        assert family.options(**family.config(family.options(0.5))) == family.options(0.5)


def test_options_of_values():
    """Those that need no residual; axes are an argument of their own."""
    left_out = {"beta", "error", "axis", "epsilon", "ignore_value"}
    for family in (TAIL_OF_VALUES, TAIL_WEIGHTED_LOSS):
        assert set(family.arguments) == set(OPTIONS) - left_out
        assert family.options().error == "value"
    assert TAIL_OF_VALUES.options() == TailOptions(0.95, error="value")
    assert TAIL_WEIGHTED_LOSS.options() == TailOptions(
        0.95,
        5.0,
        20.0,
        error="value",
        gradient="fixed_weight",
        smoothing_unit="threshold",
    )


def test_functions_of_values_are_alike():
    """In TensorFlow and in JAX: the same arguments, defaults and kinds.

    But for whose values those of a group are: JAX's replicas have a name.
    """
    ops, jax = import_or_skip("ops"), import_or_skip("jax")
    names = [
        "average_top_k",
        "cvar",
        "ohem",
        "range_mean",
        "tail_mask",
        "tail_weighted",
        "trimmed_mean",
    ]
    for name in names:
        ours, theirs = (inspect.signature(getattr(m, name)).parameters for m in (ops, jax))
        other = {"axis_name", "synchronized"}
        shown = [
            [(p.name, p.default, p.kind) for p in of.values() if p.name not in other]
            for of in (ours, theirs)
        ]
        assert "synchronized" in ours
        assert "axis_name" in theirs
        assert shown[0] == shown[1]


@pytest.mark.parametrize("module", ["losses", "jax"])
def test_an_option_of_another_loss(module):
    functions = import_or_skip(module)
    for call, message in [
        (lambda: functions.percentile_loss(X, X, beta=0.5), r"beta=0\.5: there is no such option"),
        (lambda: functions.max_fraction_loss(X, X, method="floor"), r"method='floor'.*fraction, "),
        (lambda: functions.hybrid_percentile_loss(X, X, eror="squared"), "eror='squared'.*error"),
        (lambda: functions.percentile_loss(X, X, 0.9, percentile=0.8), "multiple values"),
    ]:
        with pytest.raises(TypeError, match=message):
            call()


def test_an_option_of_another_class():
    for call, message in [
        (lambda: losses.PercentileLoss(beta=0.5), r"beta=0\.5: there is no such option"),
        (lambda: losses.MaxFractionLoss(method="floor"), "method='floor': there is no such option"),
    ]:
        with pytest.raises(TypeError, match=message):
            call()


def test_a_line_of_ones_own_is_kept():
    def function(x, y=1, *, mask=None, **options):  # noqa: D417
        """Of three arguments and an option.

        Args:
            x: Mine.
            ...: Made.

        Returns:
            y: of another section.
        """

    kind = inspect.Parameter.KEYWORD_ONLY
    _signatures.expand(function, [inspect.Parameter("error", kind, default="a", annotation=str)])
    assert str(inspect.signature(function)) == "(x, y=1, *, error: str = 'a', mask=None)"
    texts = {"y": "long " * 30, "mask": "M.", "error": "E."}
    _signatures.describe(function, inspect.signature(function).parameters, texts)
    assert described(function) == ["x", "y", "error", "mask"]
    assert "x: Mine." in function.__doc__
    assert max(map(len, function.__doc__.splitlines())) <= 100


def test_without_docstrings():
    code = (
        "from tailops.losses import PercentileLoss, percentile_loss as f\n"
        "import inspect\n"
        "loss = PercentileLoss(0.5, axis=0)\n"
        "print(f.__doc__, loss.options.axis, list(inspect.signature(f).parameters))"
    )
    command = [sys.executable, "-OO", "-c", code]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.startswith("None 0 ['y_true', 'y_pred', 'percentile'")


def test_what_looks_at_signatures_takes_them():
    compiled = tf.function(losses.percentile_loss)
    expected = losses.percentile_loss(0 * X, X, 0.5, error="squared")
    np.testing.assert_array_equal(compiled(0 * X, X, 0.5, error="squared"), expected)
    if build_info()["jax"]:
        jax = pytest.importorskip("jax")
        from tailops.jax import percentile_loss

        compiled = jax.jit(percentile_loss, static_argnames=("percentile", "error"))
        np.testing.assert_array_equal(compiled(0 * X, X, percentile=0.5, error="squared"), expected)
