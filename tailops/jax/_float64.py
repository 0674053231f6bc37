"""Numbers as float64 in two uint32 words, also where JAX has no float64."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tailops._options import TailOptions


def _words(sign: Any, exponent: Any, fraction: Any) -> jax.Array:
    """The words of numbers of a float64's sign, exponent and leading 32 bits of the fraction."""
    high = (sign << 31) | (exponent << 20) | (fraction >> 12)
    return jnp.stack([fraction << 20, high], -1)


def _whole(sign: Any, whole: Any, exponent: Any) -> jax.Array:
    """Of ±whole·2^exponent, a uint32 and an int32."""
    zeros = jax.lax.clz(whole)
    # Without the leading 1, which a float64 does not store: two steps, since one of 32 is none.
    fraction = (whole << jnp.minimum(zeros, 31)) << 1
    biased = exponent + 31 - zeros.astype(jnp.int32) + 1023
    return _words(sign, jnp.where(whole == 0, 0, biased.astype(jnp.uint32)), fraction)


def _of_float32(number: jax.Array) -> jax.Array:
    bits = jax.lax.bitcast_convert_type(number, jnp.uint32)
    sign, exponent, fraction = bits >> 31, (bits >> 23) & 0xFF, bits & 0x7FFFFF
    whole = jnp.where(exponent == 0, fraction, fraction | 0x800000)
    finite = _whole(sign, whole, jnp.maximum(exponent, 1).astype(jnp.int32) - 150)
    no_number = _words(sign, jnp.uint32(0x7FF), fraction << 9)
    return jnp.where((exponent == 0xFF)[..., None], no_number, finite)


def words_of(number: Any) -> jax.Array:
    """The bits of a number as float64, exactly: two uint32, in the order of the host's memory.

    Args:
        number: Real, of Python, NumPy, or JAX in any real dtype; or an array, of which each has its
            words along a new last axis. Of 64-bit integers, which exist in JAX's x64 mode only, the
            nearest float64.

    Example:
        >>> words_of(0.1).tolist() == np.array([0.1]).view(np.uint32).tolist()
        True
    """
    if not isinstance(number, jax.Array):
        return jnp.asarray(np.asarray(number, np.float64)[..., None].view(np.uint32))
    if number.dtype.itemsize == 8:
        return jax.lax.bitcast_convert_type(number.astype(jnp.float64), jnp.uint32)
    if jnp.issubdtype(number.dtype, jnp.floating):
        return _of_float32(number.astype(jnp.float32))
    if jnp.issubdtype(number.dtype, jnp.unsignedinteger):
        return _whole(jnp.uint32(0), number.astype(jnp.uint32), jnp.int32(0))
    whole = number.astype(jnp.int32)
    sign = (whole < 0).astype(jnp.uint32)
    return _whole(sign, jnp.abs(whole).astype(jnp.uint32), jnp.int32(0))


def number_of(words: jax.Array) -> jax.Array:
    """The number of words, in JAX's own float, where it is within a float32's range and not 0.

    Example:
        >>> number_of(words_of(np.float32(0.1))).tolist() == float(np.float32(0.1))
        True
    """
    if jnp.result_type(float) == jnp.float64:
        return jax.lax.bitcast_convert_type(words, jnp.float64)
    low, high = words[..., 0], words[..., 1]
    exponent = ((high >> 20) & 0x7FF) - (1023 - 127)
    bits = ((high >> 31) << 31) | (exponent << 23) | ((high & 0xFFFFF) << 3) | (low >> 29)
    return jax.lax.bitcast_convert_type(bits, jnp.float32)


def words_of_all(numbers: Any) -> jax.Array:
    """The words of several scalars, one after the other."""
    return jnp.concatenate([words_of(number) for number in numbers])


def numbers_of(options: TailOptions) -> tuple[jax.Array, ...]:
    """What a call's options are, if only a step knows: their words, or nothing."""
    return (words_of_all(options.numbers),) if options.is_scheduled else ()
