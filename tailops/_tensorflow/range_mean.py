"""Stand-in: the reference, until the ops are there."""

from tailops.reference_range_mean import range_mean, range_weights

__all__ = ["range_mean", "range_weights"]
