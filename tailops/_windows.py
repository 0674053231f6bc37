"""Losses that remember: of the errors of a batch, by a threshold of the last ones.

A step writes the batch's errors into the window, in place of the oldest, and then selects from it;
the losses are those of a given state.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tailops._functionals import Framework
from tailops._inputs import Inputs, as_inputs, valid_elements
from tailops._options import VALUE, TailOptions, require_reduction
from tailops._ranges import Range
from tailops._reductions import reduced

__all__ = ["NOT_TRAINED", "Window"]

NOT_TRAINED = (
    "The loss has a window of the last errors, which is only read where the model is called "
    "without training=True; its gradient is for training: model(x, training=True)."
)


@dataclass(frozen=True)
class Window:
    """The last errors, as a step of a model has them.

    Attributes:
        framework: Whose tensors they are.
        errors: (m,), of the computation's dtype.
        written: How many have been written, as csrc/formulas/window.h counts them.
        keep: Where both go when a batch has been written; None: it is only read.
        trained: Whether there may be a gradient.
    """

    framework: Framework
    errors: Any
    written: Any
    keep: Callable[[Any, Any], None] | None
    trained: bool

    def _remember(self, batch: Inputs) -> tuple[Any, Any]:
        """What to select from; of an empty window that is only read, the batch."""
        errors, written, filled = self.framework.window.remember(
            batch, self.errors, self.written, self.keep is None
        )
        if self.keep is not None:
            self.keep(errors, written)
        return errors, filled

    def _trained(self, x: Any) -> Any:
        return x if self.trained else self.framework.window.not_trained(x)

    def tail_loss(
        self,
        y_true: Any,
        y_pred: Any,
        options: TailOptions,
        *,
        reduction: str = "per_sample",
        mask: Any = None,
    ) -> Any:
        """As of `tailops._functionals.Framework.tail_losses`, with the window's threshold."""
        require_reduction(reduction)
        tensors = self.framework.tensors
        batch = as_inputs(tensors, y_true, y_pred, options, mask)
        errors, filled = self._remember(batch)
        batch = batch._replace(y_pred=self._trained(batch.y_pred))
        losses = self.framework.window.losses(batch, errors, filled)
        return reduced(tensors, losses, valid_elements(tensors, batch), reduction)

    def excesses(self, values: Any, part: Range, mask: Any, synchronized: bool) -> Any:
        """Of each value what its part in a mean of the largest is made of; their mean is that.

        With the window's values w, the start t of the part, and the mass of a value:

            r = t + mass(v)·(v − t)/(1 − p)

        Where the window is the batch, the mean of r is the mean of the largest.
        """
        batch = Inputs(values, values, mask, TailOptions(error=VALUE, synchronized=synchronized))
        errors, filled = self._remember(batch)
        tensors, steps = self.framework.tensors, self.framework.window
        weights = steps.range_weights(values, mask, errors, filled, part)
        start = self.framework.means["fused"].range_mean(
            errors, part.start(tensors).bounds(tensors), part.kind, None, filled
        )
        return start + weights * (self._trained(values) - start)
