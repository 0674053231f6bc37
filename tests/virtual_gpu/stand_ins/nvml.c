// As much of NVML as TensorFlow asks before it lists a GPU.

#include <stdio.h>

static int device;

int nvmlInit(void) { return 0; }
int nvmlInit_v2(void) { return 0; }
int nvmlInitWithFlags(unsigned flags) { return flags != 0; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char* text, unsigned size) {
  snprintf(text, size, "580.00.00");
  return 0;
}
int nvmlSystemGetNVMLVersion(char* text, unsigned size) {
  snprintf(text, size, "13.580.00");
  return 0;
}
int nvmlSystemGetCudaDriverVersion(int* version) {
  *version = 13000;
  return 0;
}
int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  return nvmlSystemGetCudaDriverVersion(version);
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 1;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** handle) {
  *handle = &device;
  return index != 0;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* address, void** handle) {
  (void)address;
  *handle = &device;
  return 0;
}
int nvmlDeviceGetName(void* handle, char* text, unsigned size) {
  snprintf(text, size, "virtual GPU");
  return handle != &device;
}
const char* nvmlErrorString(int error) {
  return error == 0 ? "Success" : "the virtual GPU knows nothing of it";
}
