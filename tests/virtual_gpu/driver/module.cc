#include "driver/module.h"

#include <stdexcept>
#include <utility>

#include "driver/capture.h"
#include "driver/context.h"
#include "driver/fat_binary.h"
#include "driver/stream.h"
#include "machine/complaints.h"
#include "machine/settings.h"

namespace virtual_gpu {

Handles<LoadedModule, CUmodule>& modules() {
  static auto* const all = new Handles<LoadedModule, CUmodule>;
  return *all;
}

namespace {

Handles<Function, CUfunction>& functions() {
  static auto* const all = new Handles<Function, CUfunction>;
  return *all;
}

CUresult load(const void* image, CUmodule* handle) {
  if (const CUresult error = ready_for_unsafe(); error != CUDA_SUCCESS) return error;
  if (image == nullptr) return CUDA_ERROR_INVALID_VALUE;
  auto loaded = std::make_shared<LoadedModule>();
  try {
    const std::string text = text_of_image(image);
    if (text.empty()) {
      complain("a module has no PTX for the architecture " + std::to_string(settings().capability) +
               " or one before it");
      return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    loaded->module = parse(text);
  } catch (const std::runtime_error& error) {
    complain(std::string("a module cannot be loaded: ") + error.what());
    return CUDA_ERROR_INVALID_PTX;
  }
  say("a module of %zu kernels, PTX %s", loaded->module->kernels.size(),
      loaded->module->version.c_str());
  *handle = modules().add(loaded);
  loaded->handle = *handle;
  return CUDA_SUCCESS;
}

// Those of pending work keep the module until they are done.
CUresult unload(CUmodule handle) {
  if (const CUresult error = ready_for_unsafe(); error != CUDA_SUCCESS) return error;
  wait_for_all();
  const auto loaded = modules().remove(handle);
  if (!loaded) return CUDA_ERROR_INVALID_HANDLE;
  for (const auto& [name, function] : loaded->functions) functions().remove(function->handle);
  return CUDA_SUCCESS;
}

std::shared_ptr<Function> function_in(const std::shared_ptr<LoadedModule>& loaded,
                                      const std::string& name) {
  static std::mutex lock;
  const std::lock_guard guard(lock);
  auto& function = loaded->functions[name];
  if (!function) {
    function = std::make_unique<Function>();
    function->module = loaded.get();
    function->kernel = loaded->module->kernels.at(name).get();
    // Not its own owner: who finds the handle takes the module with it, see function_of.
    function->handle = functions().add({std::shared_ptr<void>(), function.get()});
  }
  return {loaded, function.get()};
}

CUresult find_function(CUmodule module, const char* name, CUfunction* handle) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto loaded = modules().find(module);
  if (!loaded) return CUDA_ERROR_INVALID_HANDLE;
  if (name == nullptr) return CUDA_ERROR_INVALID_VALUE;
  if (loaded->module->kernels.count(name) == 0) return CUDA_ERROR_NOT_FOUND;
  *handle = function_in(loaded, name)->handle;
  return CUDA_SUCCESS;
}

CUresult find_variable(CUmodule module, const char* name, CUdeviceptr* address, size_t* bytes) {
  if (const CUresult error = ready(); error != CUDA_SUCCESS) return error;
  const auto loaded = modules().find(module);
  if (!loaded) return CUDA_ERROR_INVALID_HANDLE;
  const auto found = loaded->module->variables.find(name);
  if (found == loaded->module->variables.end()) return CUDA_ERROR_NOT_FOUND;
  if (address != nullptr) *address = address_of(found->second.data);
  if (bytes != nullptr) *bytes = found->second.bytes;
  return CUDA_SUCCESS;
}

CUmodule as_module(CUlibrary library) { return reinterpret_cast<CUmodule>(library); }

}  // namespace

std::shared_ptr<Function> function_of(CUfunction handle) {
  const auto function = functions().find(handle);
  if (!function) return nullptr;
  const auto loaded = modules().find(function->module->handle);
  return loaded ? std::shared_ptr<Function>(loaded, function.get()) : nullptr;
}

std::shared_ptr<Function> function_named(const std::string& kernel) {
  for (const auto& loaded : modules().all()) {
    if (loaded->module->kernels.count(kernel) != 0) return function_in(loaded, kernel);
  }
  return nullptr;
}

}  // namespace virtual_gpu

using namespace virtual_gpu;

VIRTUAL_GPU_API CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return load(image, module);
}

VIRTUAL_GPU_API CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned,
                                            CUjit_option*, void**) {
  return load(image, module);
}

VIRTUAL_GPU_API CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) {
  return load(image, module);
}

VIRTUAL_GPU_API CUresult cuModuleUnload(CUmodule module) { return unload(module); }

VIRTUAL_GPU_API CUresult cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
  *mode = CU_MODULE_LAZY_LOADING;
  return CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuModuleGetFunction(CUfunction* function, CUmodule module,
                                             const char* name) {
  return find_function(module, name, function);
}

VIRTUAL_GPU_API CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule module,
                                              const char* name) {
  return find_variable(module, name, address, bytes);
}

VIRTUAL_GPU_API CUresult cuLibraryLoadData(CUlibrary* library, const void* image, CUjit_option*,
                                           void**, unsigned, CUlibraryOption*, void**, unsigned) {
  return load(image, reinterpret_cast<CUmodule*>(library));
}

VIRTUAL_GPU_API CUresult cuLibraryUnload(CUlibrary library) { return unload(as_module(library)); }

VIRTUAL_GPU_API CUresult cuLibraryGetModule(CUmodule* module, CUlibrary library) {
  *module = as_module(library);
  return modules().find(*module) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

VIRTUAL_GPU_API CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
  return find_function(as_module(library), name, reinterpret_cast<CUfunction*>(kernel));
}

VIRTUAL_GPU_API CUresult cuLibraryGetGlobal(CUdeviceptr* address, size_t* bytes, CUlibrary library,
                                            const char* name) {
  return find_variable(as_module(library), name, address, bytes);
}
