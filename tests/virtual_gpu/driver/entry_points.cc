// How programs find entry points by name, and what they find where there is none.

#include <dlfcn.h>

#include <set>
#include <string>
#include <vector>

#include "driver/api.h"
#include "driver/context.h"
#include "machine/complaints.h"

namespace virtual_gpu {

// What the stubs call.
int not_supported(const char* name);

int not_supported(const char* name) {
  static std::mutex lock;
  static std::set<std::string> told;
  const std::lock_guard guard(lock);
  if (told.insert(name).second) complain(std::string(name) + " is not there");
  return CUDA_ERROR_NOT_SUPPORTED;
}

namespace {

void* this_library() {
  static void* const library = [] {
    Dl_info info;
    dladdr(reinterpret_cast<void*>(&cuInit), &info);
    return dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  }();
  return library;
}

// The names under which the header of a version of CUDA knows it: newest first. A later version has
// others of some, whose arguments are not those that the program has.
std::vector<std::string> names_of(const std::string& name, int version) {
  if (name == "cuStreamGetCaptureInfo") {
    return {name + (version >= 12030 ? "_v3" : "_v2")};
  }
  if (name == "cuGraphInstantiate" && version >= 12000) return {name + "WithFlags"};
  if (name == "cuGraphAddNode" && version < 12030) return {name};
  if (name == "cuCtxCreate") return {version >= 13000 ? name + "_v4" : name + "_v2"};
  return {name + "_v2", name};
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

// For the runtime, which is a library of its own.
VIRTUAL_GPU_API void virtual_gpu_complain(const char* what);

VIRTUAL_GPU_API void virtual_gpu_complain(const char* what) { complain(what); }

VIRTUAL_GPU_API CUresult cuGetProcAddress_v2(const char* name, void** function, int version,
                                             cuuint64_t flags,
                                             CUdriverProcAddressQueryResult* result) {
  *function = nullptr;
  // Those of the thread's own default stream have the legacy one's arguments, and it is another.
  if ((flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM) == 0) {
    for (const std::string& tried : names_of(name, version)) {
      *function = dlsym(this_library(), tried.c_str());
      if (*function != nullptr) break;
    }
  }
  if (*function == nullptr) say("cuGetProcAddress: no %s of version %d", name, version);
  if (result != nullptr) {
    *result =
        *function == nullptr ? CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND : CU_GET_PROC_ADDRESS_SUCCESS;
  }
  return *function == nullptr ? CUDA_ERROR_NOT_FOUND : CUDA_SUCCESS;
}

VIRTUAL_GPU_API CUresult cuGetProcAddress(const char* name, void** function, int version,
                                          cuuint64_t flags) {
  return cuGetProcAddress_v2(name, function, version, flags, nullptr);
}

// Tables that no header describes: who asks for one is told that there is none.
VIRTUAL_GPU_API CUresult cuGetExportTable(const void** table, const CUuuid*) {
  *table = nullptr;
  return static_cast<CUresult>(not_supported("cuGetExportTable"));
}

VIRTUAL_GPU_API CUresult cuProfilerStart() { return CUDA_SUCCESS; }

VIRTUAL_GPU_API CUresult cuProfilerStop() { return CUDA_SUCCESS; }
