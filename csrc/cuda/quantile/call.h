#pragma once

// What every selection kernel knows of a call, and how it writes what it has found.

#include <limits>
#include <type_traits>

#include "call/groups.h"
#include "core/ordered_bits.h"
#include "cuda/device/strided.h"
#include "cuda/device/values.h"
#include "formulas/quantile_rank.h"
#include "formulas/quantile_state.h"

namespace tailops {
namespace cuda {

// The q as kernels take them: in device memory, or, where they are few and the host's, by value.
struct RankArguments {
  static constexpr int kFew = 32;

  const double* on_device;  // or null
  double few[kFew];

  TAILOPS_DEVICE double operator[](int64_t i) const {
    return on_device != nullptr ? on_device[i] : few[i];
  }
};

// More of the host's than that: put into device memory first, by launches of as many as a kernel's
// arguments have room for.
struct StoreRanks {
  static constexpr int kMostThreads = 256;
  static constexpr int kLeastBlocks = 1;
  struct Shared {};

  double q[kMostThreads];
  int count;
  double* to;

  TAILOPS_DEVICE void run(Shared&, unsigned char*) const {
    if (device::thread() < count) to[device::thread()] = q[device::thread()];
  }
};

// The elements that make a value, and how many are equal to each, or what these weigh.
template <typename Key>
struct FoundKeys {
  Key lower;
  Key upper;
  double lower_ties;
  double upper_ties;
};

template <typename T>
struct SelectionCall : Groups {
  using Elements = Values<T>;
  using Bits = OrderedBits<T>;
  using Key = typename Bits::Key;
  static constexpr bool kIsInteger = std::is_integral_v<T>;
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

  const T* x;
  int method;
  bool ignore_nan;
  RankArguments q;
  int64_t q_count;
  T* value;               // [q_count][groups]
  SelectionState* state;  // [groups][q_count]

  TAILOPS_DEVICE Elements group(int64_t g) const { return {x + first_of(g), inner, length}; }
  TAILOPS_DEVICE Elements all_from(int64_t at) const { return {x + at, 1, size() - at}; }

  static TAILOPS_DEVICE bool is_nan(Key key) {
    if constexpr (kIsInteger) {
      return false;
    } else {
      return key == Bits::kNaN;
    }
  }

  // How many elements a group with so many NaNs selects from; 0: its values are NaN.
  TAILOPS_DEVICE int64_t selectable(int64_t nans) const {
    return nans != 0 && !ignore_nan ? 0 : length - nans;
  }

  // Whether q is in range, which integers cannot say by their value.
  TAILOPS_DEVICE bool has_value(int64_t i) const {
    return kIsInteger || is_selectable(method, q[i], length);
  }

  TAILOPS_DEVICE Rank rank(int64_t i, int64_t n) const { return selection_rank(method, q[i], n); }

  TAILOPS_DEVICE void write(int64_t g, int64_t i, const Rank& of,
                            const FoundKeys<Key>& found) const {
    T& to = value[i * groups() + g];
    SelectionState& own = state[g * q_count + i];
    const T lower = Bits::decode(found.lower);
    if constexpr (kIsInteger) {
      to = lower;
      own = state_without_gradient(static_cast<double>(lower));
    } else {
      const T upper = Bits::decode(found.upper);
      to = selected_value<T>(widen(lower), widen(upper), of);
      own = selection_state(widen(lower), widen(upper), found.lower_ties, found.upper_ties, of);
    }
  }

  // Of a q out of range, or a group with a NaN; ignored ones have no gradient.
  TAILOPS_DEVICE void write_nan(int64_t g, int64_t i) const {
    write_nan(g, i, ignore_nan && has_value(i) ? 0.0 : kNaN);
  }

  TAILOPS_DEVICE void write_nan(int64_t g, int64_t i, double share) const {
    if constexpr (!kIsInteger) {
      value[i * groups() + g] = narrow<T>(kNaN);
      state[g * q_count + i] = nan_selection(share);
    }
  }
};

}  // namespace cuda
}  // namespace tailops
