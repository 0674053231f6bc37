#pragma once

// The elements of a group 16 bytes at a time, two loads of each input in flight. Where the inputs
// are not aligned alike or lie strided, and at both ends, single elements are loaded instead.
//
// Of is what has the elements: Elements of the loss, or Values.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cuda/device/device.h"

namespace tailops {
namespace cuda {

// Whether only a mask says what is ignored, of which several are loaded at once.
template <typename Of, typename = void>
constexpr bool kIgnoresByMask = false;
template <typename Of>
constexpr bool kIgnoresByMask<Of, std::void_t<decltype(&Of::template valid_lanes<4>)>> = true;

// kMost: vectors at a time. Who has no more than one in most groups has room for more threads.
template <typename Of, int kMost = 2>
struct Batch {
  using Value = typename Of::Value;
  static constexpr int kLanes = 16 / static_cast<int>(sizeof(typename Of::Element));
  static constexpr int kVectors = kLanes < 16 ? kMost : 1;
  static constexpr int kSize = kLanes * kVectors;
  static constexpr unsigned kAll = (1u << kSize) - 1;

  Value values[kSize];
  unsigned inside;          // which of them exist
  unsigned valid;           // and count
  int64_t first[kVectors];  // the number of each vector's first element in the group

  // That of any of them. Not first[j / kLanes]: what only the data tells is no number of a
  // register.
  TAILOPS_DEVICE int64_t number(int j) const {
    static_assert(kVectors <= 2, "evenly spaced");
    return first[0] + j / kLanes * (first[kVectors - 1] - first[0]) + j % kLanes;
  }
};

template <typename Of, int kMost = 2>
class Vectors {
 public:
  using T = typename Of::Element;
  using B = Batch<Of, kMost>;

  explicit TAILOPS_DEVICE Vectors(const Of& elements) : elements_(elements) {
    const uintptr_t place = reinterpret_cast<uintptr_t>(elements.input(0)) % 16;
    aligned_ = elements.stride == 1;
    TAILOPS_UNROLL
    for (int n = 1; n < Of::kInputs; ++n) {
      aligned_ &= reinterpret_cast<uintptr_t>(elements.input(n)) % 16 == place;
    }
    shift_ = aligned_ ? static_cast<int>(place / sizeof(T)) : 0;
    count_ = (elements.length + shift_ + B::kLanes - 1) / B::kLanes;
    may_ignore_ = elements.may_ignore();
  }

  // How many there are.
  TAILOPS_DEVICE int64_t count() const { return count_; }

  // The number in the group of a vector's element; some of the first and the last vector's have
  // none.
  TAILOPS_DEVICE int64_t element(int64_t vector, int lane) const {
    return vector * B::kLanes - shift_ + lane;
  }

  // Vectors v, v + workers, ….
  TAILOPS_DEVICE B batch(int64_t v, int64_t workers) const {
    B batch;
    load(v, workers, batch);
    return batch;
  }

  // body(batch) for this worker's share of the elements. Workers are neighbours in their warp, from
  // a multiple of their number on, and those of a warp get the same number of batches.
  template <typename Body>
  TAILOPS_DEVICE void for_each(int64_t worker, int64_t workers, const Body& body) const {
    const int neighbour = static_cast<int>(worker) & (device::kWarp - 1);
    for (int64_t v = worker; v - neighbour < count_; v += B::kVectors * workers) {
      B batch;
      load(v, workers, batch);
      body(batch);
    }
  }

  // The same, in an order in which no worker gets what lies at equal distances: that may be the
  // same column of a matrix, and so all that is large.
  template <typename Body>
  TAILOPS_DEVICE void for_each_spread(int64_t worker, int64_t workers, const Body& body) const {
    const int lane = device::lane();
    // An odd part of the warps that is near the golden section.
    const int64_t warps = workers / device::kWarp;
    const int64_t turn = ((warps * 5 / 8) | 1) % warps * device::kWarp;
    for (int64_t round = 0; round < count_; round += B::kVectors * workers) {
      const int64_t v = round + worker;
      if (v - lane < count_) {
        B batch;
        load(v, workers, batch);
        body(batch);
      }
      worker += turn;
      if (worker >= workers) worker -= workers;
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
        device::store(reinterpret_cast<device::Vector16*>(to + batch.first[u]), raw);
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
      batch.first[u] = element(v + u * workers, 0);
    }
    if (batch.first[0] >= 0 && is_whole(batch.first[B::kVectors - 1])) {
      batch.inside = batch.valid = B::kAll;
      return load_whole<0, B::kVectors>(batch);
    }
    // A short group has its first vectors only.
    batch.inside = batch.valid = 0;
    load_vector<0>(batch);
    if constexpr (B::kVectors == 2) load_vector<1>(batch);
  }

  // Whether the vector from there on is aligned, and all of it is in the group.
  TAILOPS_DEVICE bool is_whole(int64_t first) const {
    return aligned_ && first >= 0 && first + B::kLanes <= elements_.length;
  }

  template <int kVector>
  TAILOPS_DEVICE void load_vector(B& batch) const {
    if (is_whole(batch.first[kVector])) {
      constexpr unsigned kLanes = ((1u << B::kLanes) - 1) << (kVector * B::kLanes);
      batch.inside |= kLanes;
      batch.valid |= kLanes;
      return load_whole<kVector, kVector + 1>(batch);
    }
    TAILOPS_UNROLL
    for (int i = 0; i < B::kLanes; ++i) {
      const int j = kVector * B::kLanes + i;
      const int64_t k = batch.first[kVector] + i;
      batch.values[j] = {};
      if (k < 0 || k >= elements_.length) continue;
      batch.inside |= 1u << j;
      if (elements_.load(k, batch.values[j])) batch.valid |= 1u << j;
    }
  }

  // Vectors [kBegin, kEnd), whose elements are taken to be valid until they are seen.
  template <int kBegin, int kEnd>
  TAILOPS_DEVICE void load_whole(B& batch) const {
    using device::Vector16;
    Vector16 raw[Of::kInputs][B::kVectors];
    TAILOPS_UNROLL
    for (int u = kBegin; u < kEnd; ++u) {
      TAILOPS_UNROLL
      for (int n = 0; n < Of::kInputs; ++n) {
        raw[n][u] = *reinterpret_cast<const Vector16*>(elements_.input(n) + batch.first[u]);
      }
    }
    T inputs[B::kSize][Of::kInputs];
    TAILOPS_UNROLL
    for (int u = kBegin; u < kEnd; ++u) {
      TAILOPS_UNROLL
      for (int n = 0; n < Of::kInputs; ++n) {
        T lanes[B::kLanes];
        memcpy(lanes, &raw[n][u], sizeof(lanes));
        TAILOPS_UNROLL
        for (int i = 0; i < B::kLanes; ++i) inputs[u * B::kLanes + i][n] = lanes[i];
      }
    }
    TAILOPS_UNROLL
    for (int j = kBegin * B::kLanes; j < kEnd * B::kLanes; ++j) {
      batch.values[j] = Of::value_of(inputs[j]);
    }
    if (!may_ignore_) return;
    if constexpr (kIgnoresByMask<Of>) {
      constexpr unsigned kWhole = (1u << B::kLanes) - 1;
      TAILOPS_UNROLL
      for (int u = kBegin; u < kEnd; ++u) {
        const unsigned ignored = ~elements_.template valid_lanes<B::kLanes>(batch.first[u]);
        batch.valid &= ~((ignored & kWhole) << (u * B::kLanes));
      }
    } else {
      TAILOPS_UNROLL
      for (int j = kBegin * B::kLanes; j < kEnd * B::kLanes; ++j) {
        const int64_t at = batch.first[j / B::kLanes] + j % B::kLanes;
        if (!elements_.is_valid(inputs[j], at)) batch.valid &= ~(1u << j);
      }
    }
  }

  Of elements_;
  bool aligned_;
  bool may_ignore_;
  int shift_;
  int64_t count_;
};

}  // namespace cuda
}  // namespace tailops
