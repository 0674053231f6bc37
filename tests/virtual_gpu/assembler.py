"""One instruction of PTX, on many operands: a thread has one of each."""

import functools

import numpy as np
import pytest
import virtual_gpu
from cuda_driver import HEADER, CudaError, Driver

# How PTX moves what a NumPy type holds: the type of the load, the kind of its register.
MOVED = {
    "uint8": ("u8", "b16"),
    "int8": ("s8", "b16"),
    "uint16": ("u16", "b16"),
    "int16": ("s16", "b16"),
    "float16": ("b16", "b16"),
    "bfloat16": ("b16", "b16"),
    "uint32": ("u32", "b32"),
    "int32": ("s32", "b32"),
    "float32": ("f32", "f32"),
    "uint64": ("u64", "b64"),
    "int64": ("s64", "b64"),
    "float64": ("f64", "f64"),
}

# What only newer devices have is assembled for them; the machine takes it all.
NEWER = HEADER.replace("sm_80", "sm_90")


@functools.cache
def driver():
    return Driver()


def pointed(name, dtype):
    """%a is the address of this thread's element of an array."""
    size = np.dtype(dtype).itemsize
    load = f"ld.param.u64 %a, [p_{name}];"
    return [load, f"mul.wide.u32 %o, %i, {size};", "add.s64 %a, %a, %o;"]


def kernel(body, inputs, outputs):
    """A kernel that loads %in0, %in1, … of these types, does the body, and stores the outputs.

    Inputs and outputs are dictionaries from names to types. The body may use %a, %o, %i (the
    thread), %p, %q as it likes.
    """
    parameters = ", ".join(f".param .u64 p_{name}" for name in (*inputs, *outputs))
    lines = [f".visible .entry one({parameters})", "{"]
    lines += [f".reg .{MOVED[t][1]} %{name};" for name, t in (inputs | outputs).items()]
    lines += [".reg .b64 %a, %o;", ".reg .b32 %i;", ".reg .pred %p, %q;", "mov.u32 %i, %tid.x;"]
    for name, dtype in inputs.items():
        lines += [*pointed(name, dtype), f"ld.global.{MOVED[dtype][0]} %{name}, [%a];"]
    lines += body.splitlines()
    lines += ["mov.u32 %i, %tid.x;"]
    for name, dtype in outputs.items():
        lines += [*pointed(name, dtype), f"st.global.{MOVED[dtype][0]} [%a], %{name};"]
    return "\n".join([*lines, "ret;", "}"])


def run(body, *arrays, output, header=HEADER):
    """What the body makes of the arrays' elements, at most 1,024 of them.

    It is an array where `output` is a type, of what the body leaves in %out; a list of arrays where
    it is a list of types, of %out0, %out1, …
    """
    several = isinstance(output, list)
    outputs = output if several else [output]
    names = [f"out{i}" for i in range(len(outputs))] if several else ["out"]
    arrays = [np.ascontiguousarray(array) for array in arrays]
    text = kernel(
        body,
        {f"in{i}": array.dtype.name for i, array in enumerate(arrays)},
        {name: np.dtype(each).name for name, each in zip(names, outputs, strict=True)},
    )
    count = len(arrays[0])
    made = launch(header + text, *arrays, *(np.zeros(count, t) for t in outputs), block=(count,))
    results = made[len(arrays) :]
    return results if several else results[0]


def launch(text, *arrays, name="one", **shape):
    """What a kernel leaves in arrays, to which it gets pointers: a list of them."""
    function = driver().function(text, name)
    pointers = [driver().array(array) for array in arrays]
    try:
        driver().launch(function, *pointers, **shape)
        return [
            driver().values(pointer, len(array), array.dtype)
            for pointer, array in zip(pointers, arrays, strict=True)
        ]
    finally:
        virtual_gpu.recover()  # where it failed: the memory is freed all the same
        for pointer in pointers:
            driver().cuMemFree_v2(pointer)


def fault_of(text, *arrays, error, **how):
    """What the machine complains of, once, when a launch ends with an error of this name."""
    with pytest.raises(CudaError, match=error):
        launch(text, *arrays, **how)
    (complaint,) = virtual_gpu.take_complaints()
    return complaint


def assert_refused(body, *arrays, output=np.uint32, header=HEADER):
    """The machine does not know an instruction, and names it."""
    with pytest.raises(CudaError, match="INVALID_PTX"):
        run(body, *arrays, output=output, header=header)
    (complaint,) = virtual_gpu.take_complaints()
    assert "is not known" in complaint
    return complaint
