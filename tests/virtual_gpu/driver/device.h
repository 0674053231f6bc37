#pragma once

namespace virtual_gpu {

// Of shared memory, that a block may have at most.
int most_shared_bytes();

}  // namespace virtual_gpu
