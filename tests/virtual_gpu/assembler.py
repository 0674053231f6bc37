"""One instruction of PTX, on many operands: a thread has one of each."""

import functools

import numpy as np
from cuda_driver import Driver

# How PTX moves what a NumPy type holds: the type of the load, the kind of its register.
MOVED = {
    "uint16": ("u16", "b16"),
    "int16": ("s16", "b16"),
    "float16": ("b16", "b16"),
    "uint32": ("u32", "b32"),
    "int32": ("s32", "b32"),
    "float32": ("f32", "f32"),
    "uint64": ("u64", "b64"),
    "int64": ("s64", "b64"),
    "float64": ("f64", "f64"),
}


@functools.cache
def driver():
    return Driver()


def kernel(body, inputs, output):
    """A kernel that loads %in0, %in1, … of these types, does the body, and stores %out."""
    names = [f"in{i}" for i in range(len(inputs))]
    parameters = ", ".join(f".param .u64 p_{name}" for name in (*names, "out"))
    lines = [f".visible .entry one({parameters})", "{"]
    lines += [
        f"  .reg .{MOVED[t][1]} %{n};"
        for n, t in zip((*names, "out"), (*inputs, output), strict=True)
    ]
    lines += ["  .reg .b64 %a, %o;", "  .reg .b32 %i;", "  .reg .pred %p, %q;"]
    lines += ["  mov.u32 %i, %tid.x;"]
    for name, dtype in zip(names, inputs, strict=True):
        size = np.dtype(dtype).itemsize
        lines += [f"  ld.param.u64 %a, [p_{name}];", f"  mul.wide.u32 %o, %i, {size};"]
        lines += ["  add.s64 %a, %a, %o;", f"  ld.global.{MOVED[dtype][0]} %{name}, [%a];"]
    lines += [f"  {line}" for line in body.splitlines()]
    size = np.dtype(output).itemsize
    lines += ["  ld.param.u64 %a, [p_out];", f"  mul.wide.u32 %o, %i, {size};"]
    lines += ["  add.s64 %a, %a, %o;", f"  st.global.{MOVED[output][0]} [%a], %out;", "  ret;", "}"]
    return "\n".join(lines)


def run(body, *arrays, output):
    """What the body makes of the arrays' elements, at most 1,024 of them."""
    arrays = [np.ascontiguousarray(array) for array in arrays]
    text = kernel(body, [array.dtype.name for array in arrays], np.dtype(output).name)
    function = driver().function(text, "one")
    count = len(arrays[0])
    pointers = [driver().array(array) for array in arrays]
    pointers.append(driver().array(np.zeros(count, output)))
    driver().launch(function, *pointers, block=(count,))
    result = driver().values(pointers[-1], count, np.dtype(output))
    for pointer in pointers:
        driver().cuMemFree_v2(pointer)
    return result
