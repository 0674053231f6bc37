// As much of cuBLASLt as XLA calls before it computes anything with it.

static int handle;

int cublasLtCreate(void** created) {
  *created = &handle;
  return 0;
}
int cublasLtDestroy(void* destroyed) { return destroyed != &handle; }
unsigned long cublasLtGetVersion(void) { return 120900; }
