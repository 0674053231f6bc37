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

  static TAILOPS_INLINE M dropped(const bool* mask, int count) {
    uint8_t kept[kStep] = {};
    memcpy(kept, mask, static_cast<size_t>(count));
    return load_bytes<C>(kept) == 0;
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
    const bool are_two = y_true != y_pred;
    int64_t kept = 0;
    for_each(elements, n, rule, [&](M ignored, V, V, int64_t i, int count) TAILOPS_INLINE {
      const uint32_t bits = ~bits_of(ignored) & Base::kAllLanes;
      if (are_two) keep_lanes(elements.y_true + i, bits, count, y_true + kept);
      kept += keep_lanes(elements.y_pred + i, bits, count, y_pred + kept);
    });
    return kept;
  }

  // Returns how many lanes are kept, of those whose bits are set. May write a whole vector.
  static TAILOPS_INLINE int keep_lanes(const T* from, uint32_t bits, int count, T* to) {
    if (!Base::kBranchesOnKept && count == kStep) return compact_elements(to, from, bits);
    int kept = 0;
    for (int lane = 0; lane < count; ++lane) {
      to[kept] = from[lane];
      kept += static_cast<int>(bits >> lane & 1);
    }
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
