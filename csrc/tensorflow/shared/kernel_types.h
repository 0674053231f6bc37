#pragma once

// TensorFlow's tensors as the kernels take them.

#include <cstdint>
#include <string>
#include <vector>

#include "core/element_types.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/core/framework/types.h"

namespace tailops {

// TensorFlow's name of an element type, and ours of TensorFlow's.
template <typename T>
struct TensorTypeOf {
  using type = T;
};
template <>
struct TensorTypeOf<Float16> {
  using type = Eigen::half;
};
template <>
struct TensorTypeOf<BFloat16> {
  using type = Eigen::bfloat16;
};
template <typename T>
using TensorType = typename TensorTypeOf<T>::type;

template <typename T>
struct KernelTypeOf {
  using type = T;
};
#define TAILOPS_OURS(T, ...)           \
  template <>                          \
  struct KernelTypeOf<TensorType<T>> { \
    using type = T;                    \
  };
TAILOPS_FLOATS(TAILOPS_OURS)
#undef TAILOPS_OURS
template <typename T>
using KernelType = typename KernelTypeOf<T>::type;

// "T: {float, double, …}"; also the integers, where these may be.
inline std::string type_attribute(bool with_integers) {
  std::string types;
#define TAILOPS_NAME(T, ...)             \
  types += (types.empty() ? "" : ", ") + \
           tensorflow::DataTypeString(tensorflow::DataTypeToEnum<TensorType<T>>::v());
  TAILOPS_FLOATS(TAILOPS_NAME)
  if (with_integers) {
    TAILOPS_INTEGERS(TAILOPS_NAME)
  }
#undef TAILOPS_NAME
  return "T: {" + types + "}";
}

template <typename T>
const KernelType<T>* data_of(const tensorflow::Tensor& tensor) {
  return reinterpret_cast<const KernelType<T>*>(tensor.flat<T>().data());
}

template <typename T>
KernelType<T>* data_of(tensorflow::Tensor* tensor) {
  return reinterpret_cast<KernelType<T>*>(tensor->flat<T>().data());
}

// A state's rows, one per group.
template <typename State>
State* state_of(tensorflow::Tensor* tensor) {
  return reinterpret_cast<State*>(tensor->flat<double>().data());
}

template <typename State>
const State* state_of(const tensorflow::Tensor& tensor) {
  return reinterpret_cast<const State*>(tensor.flat<double>().data());
}

inline std::vector<int64_t> dimensions(const tensorflow::TensorShape& shape) {
  std::vector<int64_t> sizes;
  for (int i = 0; i < shape.dims(); ++i) sizes.push_back(shape.dim_size(i));
  return sizes;
}

}  // namespace tailops
