#pragma once

// How much each element of a call counts.

#include <cstdint>

#include "core/host_device.h"

namespace tailops {

// One of each element, or none at all: then every element counts once.
struct Weights {
  const void* values = nullptr;
  bool are_wide = false;  // float64, else float32

  TAILOPS_HOST_DEVICE bool exist() const { return values != nullptr; }

  TAILOPS_HOST_DEVICE double operator[](int64_t i) const {
    if (are_wide) return static_cast<const double*>(values)[i];
    return static_cast<double>(static_cast<const float*>(values)[i]);
  }
};

// body(values) with the type that they are of.
template <typename Body>
void with_weights(const Weights& weights, const Body& body) {
  if (weights.are_wide) return body(static_cast<const double*>(weights.values));
  body(static_cast<const float*>(weights.values));
}

}  // namespace tailops
