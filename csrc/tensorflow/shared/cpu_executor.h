#pragma once

#include "core/executor.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/util/work_sharder.h"

namespace tailops {

// TensorFlow's intra-op thread pool.
class CpuExecutor final : public Executor {
 public:
  explicit CpuExecutor(tensorflow::OpKernelContext* context)
      : threads_(*context->device()->tensorflow_cpu_worker_threads()) {}

  int concurrency() const override { return threads_.num_threads; }

  void run(int64_t count, int64_t elements, const Body& body) override {
    tensorflow::Shard(threads_.num_threads, threads_.workers, count, elements * kCyclesPerElement,
                      body);
  }

 private:
  // Only the order of magnitude matters: the pool decides by it how finely to cut.
  static constexpr int64_t kCyclesPerElement = 8;
  const tensorflow::DeviceBase::CpuWorkerThreads& threads_;
};

}  // namespace tailops
