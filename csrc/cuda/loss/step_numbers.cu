#include "cuda/device/device.h"
#include "cuda/loss/tail_loss.h"

namespace tailops {
namespace cuda {

StepNumbers step_numbers(const StepNumbers* on_device, void* stream) {
  StepNumbers numbers;
  const auto of = static_cast<cudaStream_t>(stream);
  device::require(cudaMemcpyAsync(&numbers, on_device, sizeof(numbers), cudaMemcpyDeviceToHost, of),
                  "numbers to the host");
  device::require(cudaStreamSynchronize(of), "numbers to the host");
  return numbers;
}

}  // namespace cuda
}  // namespace tailops
