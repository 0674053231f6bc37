"""Images with rare, small shapes, and every pixel's class: a segmentation problem from a seed.

Ground and fields, told apart by their texture, fill the images. Here and there is a disc, a ring
or a cross, brighter than what it lies on: most pixels are easy, and the few that matter are not.
A fifth of the pixels has no label, in patches, as where annotators were unsure.
"""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

SIZE = 64
CLASSES = ("ground", "field", "disc", "ring", "cross")
FIRST_RARE = 2
# Shapes of a class in an image, on average.
FREQUENCY = {"disc": 0.4, "ring": 0.3, "cross": 0.3}
IGNORED = 255
SHARE_IGNORED = 0.2


class Images(NamedTuple):
    """Pixels (n, SIZE, SIZE, 1), labels and the true classes (n, SIZE, SIZE)."""

    pixels: Array
    labels: Array
    classes: Array


def smooth(rng: np.random.Generator, n: int, cell: int) -> Array:
    """Fields of unit variance (n, SIZE, SIZE) that vary over some `cell` pixels."""
    coarse = rng.standard_normal((n, SIZE // cell + 2, SIZE // cell + 2))
    at = np.arange(SIZE) / cell
    low = at.astype(int)
    part = at - low
    for axis in (1, 2):
        share = part.reshape((-1, 1) if axis == 1 else (1, -1))
        below, above = coarse.take(low, axis), coarse.take(low + 1, axis)
        coarse = below * (1 - share) + above * share
    return coarse / coarse.std((1, 2), keepdims=True)


def largest(field: Array, share: float) -> Array:
    """Where each image's field is among its largest, so that exactly this share is."""
    flat = field.reshape(len(field), -1)
    kept = round(share * flat.shape[1])
    found = np.zeros(flat.shape, bool)
    np.put_along_axis(found, np.argpartition(-flat, kept, axis=1)[:, :kept], True, axis=1)
    return found.reshape(field.shape)


def inside(shape: str, x: Array, y: Array, radius: float) -> Array:
    """Which pixels are, x and y from the shape's centre."""
    if shape == "disc":
        return x**2 + y**2 <= radius**2
    if shape == "ring":
        return (x**2 + y**2 <= radius**2) & (x**2 + y**2 >= (0.55 * radius) ** 2)
    return (np.minimum(abs(x), abs(y)) <= 0.35 * radius) & (np.maximum(abs(x), abs(y)) <= radius)


def draw_shapes(rng: np.random.Generator, classes: Array, pixels: Array) -> None:
    """Shapes onto one image, brighter than what they lie on."""
    row, column = np.mgrid[:SIZE, :SIZE]
    for index, (shape, frequency) in enumerate(FREQUENCY.items(), FIRST_RARE):
        for _ in range(rng.poisson(frequency)):
            x, y = rng.uniform(6, SIZE - 6, 2)
            angle, radius = rng.uniform(0, 2 * np.pi), rng.uniform(3.5, 6)
            cos, sin = np.cos(angle), np.sin(angle)
            here = inside(
                shape,
                cos * (column - x) + sin * (row - y),
                cos * (row - y) - sin * (column - x),
                radius,
            )
            classes[here] = index
            pixels[here] += rng.uniform(1.5, 2.5)


def images(n: int, seed: int, wrong_labels: float = 0.0) -> Images:
    """So many images; of their labels, a share of `wrong_labels` is of another class."""
    rng = np.random.default_rng(seed)
    classes = largest(smooth(rng, n, 16), 0.35).astype(np.uint8)
    row, column = np.mgrid[:SIZE, :SIZE]
    phase = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    stripes = np.sin((row + column) * 2 * np.pi / 5 + phase)
    pixels = 0.5 * smooth(rng, n, 8) + 0.4 * smooth(rng, n, 2) + 0.5 * stripes * classes
    pixels += 0.3 * rng.standard_normal(pixels.shape)
    for one in zip(classes, pixels, strict=True):
        draw_shapes(rng, *one)
    labels = classes.copy()
    wrong = rng.random(labels.shape) < wrong_labels
    labels[wrong] = rng.integers(0, len(CLASSES), wrong.sum())
    labels[largest(smooth(rng, n, 8), SHARE_IGNORED)] = IGNORED
    return Images(pixels[..., None].astype(np.float32), labels, classes)
