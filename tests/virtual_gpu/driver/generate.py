"""What the driver and the runtime take from NVIDIA's headers.

generate.py INCLUDE OUT: of the headers in INCLUDE, the folder OUT gets

- driver_stubs.cc and runtime_stubs.cc: every entry point that we do not have; weak, so that one
  that we have takes its place. A stub says its name and fails.
- driver_error_names.h and runtime_error_names.h: what the errors are called in the source.
"""

import re
import sys
from pathlib import Path

STUB = """VIRTUAL_GPU_STUB int {name}() {{ return virtual_gpu::not_supported("{name}"); }}
"""

STUBS = """// Of NVIDIA's header, by generate.py.

namespace virtual_gpu {{
int not_supported(const char* name);
}}

#define VIRTUAL_GPU_STUB extern "C" __attribute__((weak, visibility("default")))

{stubs}"""

NAMES = """// Of NVIDIA's header, by generate.py.
#pragma once

#include <utility>

namespace virtual_gpu {{

inline constexpr std::pair<int, const char*> kErrorNames[] = {{
{lines}
}};

}}  // namespace virtual_gpu
"""

# Programs that were built with other versions of CUDA ask for these as well.
OTHER_VERSIONS = """
cuCtxCreate cuDevicePrimaryCtxRelease cuDevicePrimaryCtxReset cuDevicePrimaryCtxSetFlags
cuEventElapsedTime cuGetProcAddress cuGraphAddKernelNode cuGraphAddNode
cuGraphExecKernelNodeSetParams cuGraphExecUpdate cuGraphInstantiate cuGraphKernelNodeGetParams
cuGraphKernelNodeSetParams
cuStreamBeginCapture cuStreamGetCaptureInfo cuStreamUpdateCaptureDependencies
"""


def runtime_entry_points(text):
    names = set(re.findall(r"cudaError_t\s+CUDARTAPI\s+(cuda\w+)\s*\(", text))
    return sorted(names | {name + "_v2" for name in names})


def driver_entry_points(text):
    names = set(re.findall(r"CUresult\s+CUDAAPI\s+(cu\w+)\s*\(", text))
    names |= set(re.findall(r"#define\s+cu\w+\s+(cu\w+)\s*$", text, re.M))
    names |= set(re.findall(r"#define\s+cu\w+\s+__CUDA_API_PT[DS][SZ]\((cu\w+)\)", text))
    for name in OTHER_VERSIONS.split():
        names |= {name, name + "_v2", name + "_v3"}
    return sorted(names)


def stubs(names):
    return STUBS.format(stubs="".join(STUB.format(name=name) for name in names))


def error_names(text, first):
    """Of the enumeration that begins with `first`: pairs of a number and a name."""
    begin = text.index(first)
    enumeration = text[begin : text.index("}", begin)]
    found = re.findall(r"^\s*(cuda\w+|CUDA_\w+)\s*=\s*(\d+)", enumeration, re.M)
    return [(int(number), name) for name, number in found]


def names_header(text, first):
    lines = [f'    {{{number}, "{name}"}},' for number, name in error_names(text, first)]
    return NAMES.format(lines="\n".join(lines))


def main(include, out):
    cuda = (include / "cuda.h").read_text()
    runtime = (include / "cuda_runtime_api.h").read_text()
    out.mkdir(parents=True, exist_ok=True)
    (out / "driver_stubs.cc").write_text(stubs(driver_entry_points(cuda)))
    (out / "runtime_stubs.cc").write_text(stubs(runtime_entry_points(runtime)))
    types = (include / "driver_types.h").read_text()
    (out / "driver_error_names.h").write_text(names_header(cuda, "CUDA_SUCCESS"))
    (out / "runtime_error_names.h").write_text(names_header(types, "cudaSuccess "))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
