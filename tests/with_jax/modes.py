"""JAX's modes, as fixtures of the modules that import them."""

import jax
import pytest


@pytest.fixture(autouse=True)
def x64():
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)
