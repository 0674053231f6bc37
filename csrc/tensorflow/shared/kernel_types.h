#pragma once

// TensorFlow's tensors as the kernels take them.

#include <cstdint>
#include <vector>

#include "core/float_types.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"

namespace tailops {

template <typename T>
struct KernelTypeOf {
  using type = T;
};
template <>
struct KernelTypeOf<Eigen::half> {
  using type = Float16;
};
template <>
struct KernelTypeOf<Eigen::bfloat16> {
  using type = BFloat16;
};
template <typename T>
using KernelType = typename KernelTypeOf<T>::type;

template <typename T>
const KernelType<T>* data_of(const tensorflow::Tensor& tensor) {
  return reinterpret_cast<const KernelType<T>*>(tensor.flat<T>().data());
}

template <typename T>
KernelType<T>* data_of(tensorflow::Tensor* tensor) {
  return reinterpret_cast<KernelType<T>*>(tensor->flat<T>().data());
}

inline std::vector<int64_t> dimensions(const tensorflow::TensorShape& shape) {
  std::vector<int64_t> sizes;
  for (int i = 0; i < shape.dims(); ++i) sizes.push_back(shape.dim_size(i));
  return sizes;
}

}  // namespace tailops
