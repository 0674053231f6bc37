#pragma once

#include <Python.h>
#include <pybind11/pybind11.h>

#include <string>

#include "core/thrown.h"

namespace tailops {

// body() without Python's lock. pybind11 makes a Python exception of what is thrown; of memory that
// runs out, this one, which says what it was for.
template <typename Geometry, typename Body>
void compute(const char* call, const std::string& dtype, const Geometry& geometry,
             const Body& body) {
  try {
    const pybind11::gil_scoped_release release;
    body();
  } catch (...) {
    report_thrown([&](Problem problem, const char* text) {
      if (problem != Problem::kMemory) throw;
      PyErr_Format(PyExc_MemoryError, "%s: out of memory (%s) for %lld elements of %s", call, text,
                   static_cast<long long>(geometry.size()), dtype.c_str());
      throw pybind11::error_already_set();
    });
  }
}

}  // namespace tailops
