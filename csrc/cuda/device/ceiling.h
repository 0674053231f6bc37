#pragma once

#include <cstdint>

namespace tailops {
namespace cuda {

inline int64_t ceiling(int64_t n, int64_t of) { return (n + of - 1) / of; }

}  // namespace cuda
}  // namespace tailops
