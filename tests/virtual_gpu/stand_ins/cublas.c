// As much of cuBLAS as TensorFlow and XLA call before they compute anything with it: what computes
// is not here, and who looks for it finds that it is missing.

static int handle;

int cublasCreate_v2(void** created) {
  *created = &handle;
  return 0;
}
int cublasDestroy_v2(void* destroyed) { return destroyed != &handle; }
int cublasSetStream_v2(void* set, void* stream) {
  (void)stream;
  return set != &handle;
}
int cublasSetMathMode(void* set, int mode) {
  (void)mode;
  return set != &handle;
}
int cublasGetVersion_v2(void* asked, int* version) {
  *version = 120900;
  return asked != &handle;
}
int cublasSetWorkspace_v2(void* set, void* workspace, unsigned long bytes) {
  (void)workspace;
  (void)bytes;
  return set != &handle;
}
int cublasSetPointerMode_v2(void* set, int mode) {
  (void)mode;
  return set != &handle;
}
int cublasSetAtomicsMode(void* set, int mode) {
  (void)mode;
  return set != &handle;
}
