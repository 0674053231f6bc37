"""The package: what it imports, what it says of itself, and under which TensorFlow it loads."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from processes import run_python

import tailops
from tailops import _kernels
from tailops._device_arrays import require
from tailops._tensorflow.version import require_tensorflow

LIBRARIES = sorted(Path(_kernels.__file__).parent.rglob("*.so"))


def test_kernels_do_not_load_tensorflow():
    run_python(
        """
        import sys, numpy as np
        from tailops import cuda, kernels
        kernels.forward(np.zeros(3), np.ones(3))
        cuda.device_count()
        assert "tensorflow" not in sys.modules and "keras" not in sys.modules
        """
    )


def test_kernels_work_without_tensorflow():
    run_python(
        """
        import importlib.util, sys
        sys.modules["tensorflow"] = None
        import tailops.cuda, tailops.kernels
        if tailops.build_info()["jax"] and importlib.util.find_spec("jax"):
            import tailops.jax
        """
    )


def test_submodules_load_on_demand():
    assert tailops.losses.PercentileLoss.__name__ in dir(tailops.losses)
    with pytest.raises(AttributeError, match="no attribute 'lossses'"):
        _ = tailops.lossses


def test_build_information():
    info = tailops.build_info()
    assert set(info["xla"]) <= set(info["tensorflow"])
    assert info["compiler"].split()[0] in {"g++", "clang"}
    printed = run_python("import runpy; runpy.run_module('tailops', run_name='__main__')")
    for key, value in info.items():
        assert re.search(
            rf"{key}\s+{re.escape(str(value)) if isinstance(value, str) else ''}", printed
        )
    assert re.search(r"keras  \S+ on tensorflow: losses\n", printed)
    assert tailops.__version__ == info["tailops"]


@pytest.mark.skipif(not tailops.build_info()["xla"], reason="built without XLA")
def test_what_is_missing_is_said():
    printed = run_python(
        "import runpy; runpy.run_module('tailops', run_name='__main__')", TAILOPS_XLA="off"
    )
    assert re.search(r"tensorflow  \S+: ops; no XLA\n", printed)
    assert re.search(r"Missing\n +tensorflow  .*: TAILOPS_XLA=off\n", printed)


def other_minor():
    major, minor = tailops.build_info()["tensorflow"][-1].split(".")
    return f"{major}.{int(minor) + 1}.0"


MESSAGE = r"built for TensorFlow [\d., ]+ and found TensorFlow {}.*pip install .*--no-deps \."


def test_another_minor_version_is_an_import_error():
    for built_for in tailops.build_info()["tensorflow"]:
        require_tensorflow(f"{built_for}.99")
    with pytest.raises(ImportError, match=MESSAGE.format(re.escape(other_minor()))):
        require_tensorflow(other_minor())


def test_importing_the_losses_under_another_version():
    """What needs no TensorFlow is there nevertheless."""
    printed = run_python(
        f"""
        import tensorflow as tf
        tf.__version__ = {other_minor()!r}
        import tailops.kernels
        try:
            import tailops.losses
        except ImportError as error:
            print(error)
        """
    )
    assert re.search(MESSAGE.format(re.escape(other_minor())), printed)


def test_every_library_is_there():
    names = {path.name.split(".")[0] for path in LIBRARIES}
    expected = {"_kernels", "libtailops_kernels", "libtailops_tensorflow"}
    features = ("xla", "jax", "cuda")
    expected |= {f"libtailops_{name}" for name in features if tailops.build_info()[name]}
    assert names == expected


@pytest.mark.skipif(shutil.which("nm") is None, reason="no nm")
@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)
def test_no_library_takes_cuda_from_elsewhere(library):
    """TensorFlow's framework library exports stubs of the CUDA runtime that return zeros."""
    symbols = subprocess.run(
        ["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True
    ).stdout
    assert symbols
    assert not re.findall(r"\bU (?:__)?cuda\w*", symbols)
    if not {"libtailops_tensorflow", "libtailops_xla"} & {library.stem}:
        assert "tensorflow" not in symbols


@pytest.mark.skipif(not tailops.build_info()["cuda"], reason="built without CUDA")
def test_cuda_is_there_and_needs_no_driver():
    """Loading, asking and counting must work without a GPU; the runtime is nobody else's."""
    info = tailops.build_info()
    assert re.fullmatch(r"1[2-9]\.\d+", info["cuda_toolkit"])
    assert re.search(r"\b\d{2,3}\b", info["cuda_architectures"])
    assert tailops.cuda.device_count() >= 0
    library = Path(_kernels.__file__).with_name("libtailops_cuda.so")
    if shutil.which("nm"):
        shown = ["nm", "-D", "--defined-only", library]
        symbols = subprocess.run(shown, capture_output=True, text=True, check=True).stdout
        assert not re.findall(r"\s(?:__)?cuda\w*$", symbols, re.MULTILINE)
    if tailops.cuda.device_count() == 0:
        with pytest.raises(RuntimeError, match="CUDA: device: "):
            tailops.cuda.prepare()
    with pytest.raises(TypeError, match="y_pred is a list: must be of PyTorch or CuPy"):
        tailops.cuda.forward([1.0], [2.0])
    with pytest.raises(TypeError, match="x is a list: must be of PyTorch or CuPy"):
        tailops.cuda.select_forward([1.0], [0.5])
    with pytest.raises(TypeError, match="values is a list: must be of PyTorch or CuPy"):
        tailops.cuda.range_mean([1.0], (0.5, 1.0), "between")


def test_an_array_elsewhere_is_a_clear_error():
    """Its address means nothing to the device: the kernels must not see it."""

    class OfADevice:
        like = "y_pred"

        @staticmethod
        def is_here(_):
            return False

    with pytest.raises(ValueError, match="y_true is not an array on the device of y_pred"):
        require(OfADevice(), "y_true", [1.0], "float64", (1,))


def test_without_cuda_is_a_clear_error():
    printed = run_python(
        """
        from tailops import _kernels
        _kernels.build_info = lambda info=_kernels.build_info(): {**info, "cuda": False}
        from tailops import cuda
        assert cuda.device_count() == 0
        for call in (cuda.prepare, lambda: cuda.forward([1.0], [2.0])):
            try:
                call()
            except RuntimeError as error:
                print(error)
        """
    )
    assert printed.count("built without CUDA") == 2
