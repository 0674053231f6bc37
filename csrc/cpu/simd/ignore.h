#pragma once

// Elements that are ignored: found, left out of the inputs, and cleared in the results.

#include "cpu/simd/lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename T>
struct IgnoreLoops : Lanes<T> {
  using Base = Lanes<T>;
  using Base::kStep;
  using typename Base::C;
  using typename Base::M;
  using typename Base::V;
  using Bytes = typename VectorOf<uint8_t, kStep>::type;

  static M dropped(const bool* mask, int count) {
    uint8_t kept[kStep] = {};
    memcpy(kept, mask, static_cast<size_t>(count));
    Bytes bytes;
    memcpy(&bytes, kept, sizeof(bytes));
    return __builtin_convertvector(bytes, M) == 0;
  }

  // body(ignored, y_true, y_pred, offset, count)
  template <typename Body>
  static TAILOPS_INLINE void for_each(const Elements<T>& elements, int64_t n, const Ignore<C>& rule,
                                      const Body& body) {
    Base::for_each_vector(n, [&](int64_t i, M valid, int count) TAILOPS_INLINE {
      if (count == kStep) {
        Base::fetch_ahead(elements.y_true + i, i / kStep);
        Base::fetch_ahead(elements.y_pred + i, i / kStep);
      }
      const V t = Base::load_count(elements.y_true + i, count);
      const V p = Base::load_count(elements.y_pred + i, count);
      M ignored{};
      if (rule.nan) ignored |= (t != t) | (p != p);
      if (rule.has_value) ignored |= t == rule.value;
      if (elements.mask != nullptr) ignored |= dropped(elements.mask + i, count);
      body(ignored & valid, t, p, i, count);
    });
  }

  static int64_t count_ignored(const Elements<T>& elements, int64_t n, const Ignore<C>& rule) {
    int64_t found = 0;
    for_each(elements, n, rule, [&](M ignored, V, V, int64_t, int) TAILOPS_INLINE {
      found += __builtin_popcount(bits_of(ignored));
    });
    return found;
  }

  static int64_t zero_ignored(const Elements<T>& elements, int64_t n, const Ignore<C>& rule,
                              T* y_true, T* y_pred) {
    int64_t found = 0;
    for_each(elements, n, rule, [&](M ignored, V t, V p, int64_t i, int count) TAILOPS_INLINE {
      found += __builtin_popcount(bits_of(ignored));
      Base::store_count(y_true + i, choose(ignored, V{}, t), count);
      Base::store_count(y_pred + i, choose(ignored, V{}, p), count);
    });
    return found;
  }

  static int64_t keep_valid(const Elements<T>& elements, int64_t n, const Ignore<C>& rule,
                            T* y_true, T* y_pred) {
    int64_t kept = 0;
    for_each(elements, n, rule, [&](M ignored, V t, V p, int64_t, int count) TAILOPS_INLINE {
      const uint32_t bits = bits_of(first_lanes<C>(count)) & ~bits_of(ignored);
      if (Base::kBranchesOnKept && bits == Base::kAllLanes) {
        store(y_true + kept, t);
        store(y_pred + kept, p);
        kept += kStep;
        return;
      }
      compact(y_true + kept, t, bits);
      kept += compact(y_pred + kept, p, bits);
    });
    return kept;
  }

  // Of results in either type.
  template <typename U>
  static void clear(const Elements<T>& elements, int64_t n, const Ignore<C>& rule, U* results) {
    for_each(elements, n, rule, [&](M ignored, V, V, int64_t i, int count) TAILOPS_INLINE {
      const V result = Base::load_count(results + i, count);
      Base::store_count(results + i, choose(ignored, V{}, result), count);
    });
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
