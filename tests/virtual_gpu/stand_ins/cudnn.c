// As much of cuDNN as XLA calls before it compiles anything: without a handle of it no function is
// compiled.

#include <stddef.h>

static int handle;

int cudnnCreate(void** created) {
  *created = &handle;
  return 0;
}
int cudnnDestroy(void* destroyed) { return destroyed != &handle; }
size_t cudnnGetVersion(void) { return 92000; }
size_t cudnnGetCudartVersion(void) { return 12090; }
int cudnnGetProperty(int which, int* value) {
  const int version[] = {9, 20, 0};
  if (which < 0 || which > 2) return 1;
  *value = version[which];
  return 0;
}
int cudnnSetStream(void* set, void* stream) {
  (void)stream;
  return set != &handle;
}
const char* cudnnGetErrorString(int error) {
  return error == 0 ? "CUDNN_STATUS_SUCCESS" : "the virtual GPU has no cuDNN";
}
