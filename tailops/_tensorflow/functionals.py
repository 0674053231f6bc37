"""The functions of values where they are TensorFlow's."""

from tailops import reference, reference_range_mean
from tailops._functionals import Framework
from tailops._tensorflow import range_mean, tensors, window
from tailops._tensorflow.replicas import replicas
from tailops._tensorflow.selection import select
from tailops._tensorflow.tail_loss import tail_loss
from tailops._tensorflow.weights import as_weights

TENSORFLOW = Framework(
    tensors,
    means={"fused": range_mean, "reference": reference_range_mean},
    tail_losses={"fused": tail_loss, "reference": reference.tail_loss},
    window=window,
    select=select,
    as_weights=as_weights,
    replicas=replicas,
)
