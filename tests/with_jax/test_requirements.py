"""What is said where JAX, or the kernels for it, or Keras's backend is missing."""

import pytest
from processes import run_python

from tailops import build_info

IMPORT = """
try:
    import tailops.jax
except ImportError as error:
    print(error)
"""


def test_without_jax():
    printed = run_python("import sys\nsys.modules['jax'] = None\n" + IMPORT)
    assert "needs JAX" in printed
    assert "pip install tailops[jax]" in printed


def test_built_without_it():
    pytest.importorskip("jax")
    printed = run_python(
        "from tailops import _kernels\n"
        "_kernels.build_info = lambda info=_kernels.build_info(): {**info, 'jax': False}\n" + IMPORT
    )
    assert "built without kernels for JAX" in printed
    assert "TAILOPS_JAX=ON" in printed


@pytest.mark.skipif(not build_info()["jax"], reason="built without kernels for JAX")
def test_built_for_a_later_interface(tmp_path):
    """Registered all the same, the handlers would keep JAX from starting."""
    pytest.importorskip("jax")
    header = tmp_path / "xla/ffi/api/c_api.h"
    header.parent.mkdir(parents=True)
    header.write_text("#define XLA_FFI_API_MAJOR 0\n\n#define XLA_FFI_API_MINOR 0\n")
    older = f"import jax.ffi\njax.ffi.include_dir = lambda: {str(tmp_path)!r}\n"
    started = "import jax\nassert jax.numpy.ones(3).sum() == 3\n"
    printed = run_python(older + IMPORT + started)
    assert "the installed jaxlib has 0.0. Rebuild it" in printed


def test_a_backend_without_kernels():
    pytest.importorskip("jax", reason="Keras's NumPy backend needs it")
    printed = run_python(
        """
        try:
            import tailops.losses
        except ImportError as error:
            print(error)
        """,
        KERAS_BACKEND="numpy",
    )
    assert "backend is 'numpy', and must be one of 'tensorflow', 'jax'" in printed
