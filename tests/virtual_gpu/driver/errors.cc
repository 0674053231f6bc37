#include <utility>

#include "driver/api.h"
#include "driver/error_texts.h"
#include "driver_error_names.h"  // of cuda.h, by generate.py

namespace virtual_gpu {
namespace {

const char* name_of(CUresult error) {
  for (const auto& [known, name] : kErrorNames) {
    if (known == error) return name;
  }
  return nullptr;
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuGetErrorName(CUresult error, const char** name) {
  *name = name_of(error);
  return *name == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuGetErrorString(CUresult error, const char** text) {
  const bool is_known = name_of(error) != nullptr;
  *text = is_known ? text_of_error(error) : nullptr;
  if (is_known && *text == nullptr) *text = name_of(error);
  return is_known ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
