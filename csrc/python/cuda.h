#pragma once

#include <pybind11/pybind11.h>

namespace tailops {

// Adds the kernels on device memory to the module.
void add_cuda(pybind11::module_& module);

// Adds the steps of a union on it.
void add_cuda_union(pybind11::module_& module);

}  // namespace tailops
