"""What selection returns, for static checkers: with `return_indices` a pair, else an array."""

from collections.abc import Callable
from typing import Any, Literal, Protocol, cast, overload

import jax

__all__ = ["Element", "Quantiles", "returns_element", "returns_quantiles"]


class Quantiles(Protocol):
    """Of `quantile` and the like."""

    @overload
    def __call__(
        self,
        x: Any,
        q: Any,
        axis: Any = None,
        method: str = "linear",
        keepdims: bool = False,
        return_indices: Literal[False] = False,
        weights: Any = None,
    ) -> jax.Array: ...
    @overload
    def __call__(
        self,
        x: Any,
        q: Any,
        axis: Any = None,
        method: str = "linear",
        keepdims: bool = False,
        *,
        return_indices: Literal[True],
        weights: Any = None,
    ) -> tuple[jax.Array, jax.Array]: ...
    @overload
    def __call__(
        self,
        x: Any,
        q: Any,
        axis: Any = None,
        method: str = "linear",
        keepdims: bool = False,
        return_indices: bool = False,
        weights: Any = None,
    ) -> Any: ...


class Element(Protocol):
    """Of `nth_element`."""

    @overload
    def __call__(
        self,
        input: Any,
        n: Any,
        reverse: bool = False,
        axis: int = -1,
        return_indices: Literal[False] = False,
    ) -> jax.Array: ...
    @overload
    def __call__(
        self,
        input: Any,
        n: Any,
        reverse: bool = False,
        axis: int = -1,
        *,
        return_indices: Literal[True],
    ) -> tuple[jax.Array, jax.Array]: ...
    @overload
    def __call__(
        self,
        input: Any,
        n: Any,
        reverse: bool = False,
        axis: int = -1,
        return_indices: bool = False,
    ) -> Any: ...


def returns_quantiles(
    function: Callable[[Any, Any, Any, str, bool, bool, Any], Any],
) -> Quantiles:
    """The function, whose results static checkers know."""
    return cast(Quantiles, function)


def returns_element(function: Callable[[Any, Any, bool, int, bool], Any]) -> Element:
    """The function, whose result static checkers know."""
    return cast(Element, function)
