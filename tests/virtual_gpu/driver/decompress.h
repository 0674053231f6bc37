#pragma once

#include <cstddef>
#include <string>

namespace virtual_gpu {

// What so many bytes hold, which is of a known size. Throw std::runtime_error if it is not that.
std::string decompress_lz4(const unsigned char* data, size_t bytes, size_t size);
std::string decompress_zstd(const unsigned char* data, size_t bytes, size_t size);

}  // namespace virtual_gpu
