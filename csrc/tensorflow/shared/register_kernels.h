#pragma once

// An op and its gradient, as kernels for every element type on a device.

#include "core/element_types.h"
#include "tensorflow/core/framework/types.h"
#include "tensorflow/shared/guarded_op.h"
#include "tensorflow/shared/kernel_types.h"
#include "tensorflow/shared/op_and_gradient.h"

namespace tailops {

template <typename Kernel, typename T>
void register_typed(const char* op, const char* device, const char* host_input = nullptr) {
  tensorflow::register_kernel::Name definition(op);
  definition.Device(device).TypeConstraint<T>("T");
  if (host_input) definition.HostMemory(host_input);
  register_kernel<Kernel>(definition);
}

// Static, each file's own: a template whose parameters are templates of an unnamed namespace is, to
// GCC, the same function in every file, and the CPU's kernels would be registered for the GPU.
template <template <typename> class Forward, template <typename> class Backward>
static void register_floats(const OpAndGradient& names, const char* device) {
#define TAILOPS_REGISTER(T, ...)                                                             \
  register_typed<Forward<TensorType<T>>, TensorType<T>>(names.op, device, names.host_input); \
  register_typed<Backward<TensorType<T>>, TensorType<T>>(names.gradient, device,             \
                                                         names.host_input_of_gradient);
  TAILOPS_FLOATS(TAILOPS_REGISTER)
#undef TAILOPS_REGISTER
}

// Integers have no gradient.
template <template <typename> class Forward>
static void register_integers(const OpAndGradient& names, const char* device) {
#define TAILOPS_REGISTER(T, ...) register_typed<Forward<T>, T>(names.op, device, names.host_input);
  TAILOPS_INTEGERS(TAILOPS_REGISTER)
#undef TAILOPS_REGISTER
}

}  // namespace tailops
