#pragma once

// In place of a header of TensorFlow 2.19's that includes LLVM's, with which its package does not
// come. Nothing that is compiled here looks into a descriptor: stream_executor.h hands one on.

namespace stream_executor::gpu {

class TmaDescriptor {};

}  // namespace stream_executor::gpu
