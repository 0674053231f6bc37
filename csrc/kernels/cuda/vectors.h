#pragma once

// The elements of a group 16 bytes at a time, two loads of each input in flight. Where the inputs
// are not aligned alike or lie strided, and at both ends, single elements are loaded instead.

#include "call.h"

namespace tailops {
namespace cuda {

template <typename T>
struct Batch {
  using C = ComputeType<T>;
  static constexpr int kLanes = 16 / static_cast<int>(sizeof(T));
  static constexpr int kVectors = 2;
  static constexpr int kSize = kLanes * kVectors;

  C residuals[kSize];
  unsigned inside;          // which of them exist
  unsigned valid;           // and count
  int64_t first[kVectors];  // the number of each vector's first element in the group
};

template <typename T>
class Vectors {
 public:
  using C = ComputeType<T>;
  using B = Batch<T>;

  explicit TAILOPS_DEVICE Vectors(const Elements<T>& elements) : elements_(elements) {
    const uintptr_t t = reinterpret_cast<uintptr_t>(elements.inputs.y_true) % 16;
    const uintptr_t p = reinterpret_cast<uintptr_t>(elements.inputs.y_pred) % 16;
    aligned_ = elements.stride == 1 && t == p;
    shift_ = aligned_ ? static_cast<int>(p / sizeof(T)) : 0;
    count_ = (elements.length + shift_ + B::kLanes - 1) / B::kLanes;
    picky_ = elements.inputs.mask != nullptr || elements.ignore.any();
  }

  // body(batch) for this worker's share of the elements; a warp's workers are neighbours and get
  // the same number of batches.
  template <typename Body>
  TAILOPS_DEVICE void for_each(int64_t worker, int64_t workers, const Body& body) const {
    const int lane = device::lane();
    for (int64_t v = worker; v - lane < count_; v += B::kVectors * workers) {
      B batch;
      load(v, workers, batch);
      body(batch);
    }
  }

  // The vector's values, where the output is aligned as the inputs are; otherwise one by one.
  TAILOPS_DEVICE void store(const B& batch, const T (&values)[B::kSize], T* to) const {
    const bool alike = aligned_ && reinterpret_cast<uintptr_t>(to) % 16 / sizeof(T) ==
                                       static_cast<uintptr_t>(shift_);
    constexpr unsigned kWhole = (1u << B::kLanes) - 1;
    TAILOPS_UNROLL
    for (int u = 0; u < B::kVectors; ++u) {
      const unsigned inside = batch.inside >> (u * B::kLanes) & kWhole;
      if (alike && inside == kWhole) {
        device::Vector16 raw;
        memcpy(&raw, values + u * B::kLanes, sizeof(raw));
        *reinterpret_cast<device::Vector16*>(to + batch.first[u]) = raw;
        continue;
      }
      TAILOPS_UNROLL
      for (int i = 0; i < B::kLanes; ++i) {
        if (inside >> i & 1u) {
          to[(batch.first[u] + i) * elements_.stride] = values[u * B::kLanes + i];
        }
      }
    }
  }

 private:
  TAILOPS_DEVICE void load(int64_t v, int64_t workers, B& batch) const {
    TAILOPS_UNROLL
    for (int u = 0; u < B::kVectors; ++u) {
      batch.first[u] = (v + u * workers) * B::kLanes - shift_;
    }
    const bool whole = aligned_ && batch.first[0] >= 0 &&
                       batch.first[B::kVectors - 1] + B::kLanes <= elements_.length;
    if (whole) {
      load_whole(batch);
    } else {
      load_single(batch);
    }
  }

  TAILOPS_DEVICE void load_whole(B& batch) const {
    using device::Vector16;
    Vector16 raw_true[B::kVectors], raw_pred[B::kVectors];
    TAILOPS_UNROLL
    for (int u = 0; u < B::kVectors; ++u) {
      raw_true[u] = *reinterpret_cast<const Vector16*>(elements_.inputs.y_true + batch.first[u]);
      raw_pred[u] = *reinterpret_cast<const Vector16*>(elements_.inputs.y_pred + batch.first[u]);
    }
    batch.inside = (1u << B::kSize) - 1;
    batch.valid = batch.inside;
    TAILOPS_UNROLL
    for (int u = 0; u < B::kVectors; ++u) {
      T t[B::kLanes], p[B::kLanes];
      memcpy(t, &raw_true[u], sizeof(t));
      memcpy(p, &raw_pred[u], sizeof(p));
      TAILOPS_UNROLL
      for (int i = 0; i < B::kLanes; ++i) {
        const C y_true = widen(t[i]), y_pred = widen(p[i]);
        batch.residuals[u * B::kLanes + i] = y_pred - y_true;
        if (picky_ && !elements_.counts(y_true, y_pred, batch.first[u] + i)) {
          batch.valid &= ~(1u << (u * B::kLanes + i));
        }
      }
    }
  }

  TAILOPS_DEVICE void load_single(B& batch) const {
    batch.inside = 0;
    batch.valid = 0;
    TAILOPS_UNROLL
    for (int j = 0; j < B::kSize; ++j) {
      const int64_t k = batch.first[j / B::kLanes] + j % B::kLanes;
      batch.residuals[j] = C(0);
      if (k < 0 || k >= elements_.length) continue;
      batch.inside |= 1u << j;
      if (elements_.residual(k, batch.residuals[j])) batch.valid |= 1u << j;
    }
  }

  Elements<T> elements_;
  bool aligned_;
  bool picky_;
  int shift_;
  int64_t count_;
};

}  // namespace cuda
}  // namespace tailops
