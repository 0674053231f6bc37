#pragma once

// The order statistics of short columns, as many side by side as a vector has lanes.

#include <limits>

#include "cpu/simd/lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename C>
struct NetworkLoops : Lanes<C> {
  using Base = Lanes<C>;
  using Base::kStep;
  using typename Base::M;
  using typename Base::V;

  static void ranked_columns(const C* values, int64_t stride, int64_t width,
                             const SelectionNetwork& network, Ranked<C>* found) {
    V lines[SelectionNetwork::kMostLines];
    const auto ranks = static_cast<int64_t>(network.wanted().size());
    for (int64_t c = 0; c < width; c += kStep) {
      const int lanes = static_cast<int>(width - c < kStep ? width - c : kStep);
      const M nan = read(values + c, stride, lanes, network, lines);
      run(network, lines, nan, lanes, found + c * ranks);
    }
  }

  // One column per lane. Returns where there is a NaN.
  template <typename T>
  static TAILOPS_INLINE M read(const T* values, int64_t stride, int lanes,
                               const SelectionNetwork& network, V* lines) {
    M nan{};
    for (int k = 0; k < network.lines(); ++k) {
      lines[k] = Lanes<T>::load_count(values + k * stride, lanes);
      nan |= lines[k] != lines[k];
    }
    return nan;
  }

  static void order(const SelectionNetwork& network, V* lines) {
    for (const SelectionNetwork::Comparator& c : network.comparators()) {
      const V a = lines[c.smaller], b = lines[c.larger];
      lines[c.smaller] = smaller_of(a, b);
      lines[c.larger] = larger_of(a, b);
    }
  }

  // What the network finds, lane by lane; NaN where there is one.
  static void run(const SelectionNetwork& network, V* lines, M nan, int lanes, Ranked<C>* found) {
    order(network, lines);
    const size_t ranks = network.wanted().size();
    for (size_t r = 0; r < ranks; ++r) {
      const V nans = broadcast(std::numeric_limits<C>::quiet_NaN());
      const V value = choose(nan, nans, lines[network.wanted()[r]]);
      // The network has moved the values about, and they are all still there.
      M ties{};
      for (int k = 0; k < network.lines(); ++k) ties -= lines[k] == value;
      for (int lane = 0; lane < lanes; ++lane) {
        found[static_cast<size_t>(lane) * ranks + r] = {value[lane], 0,
                                                        nan[lane] != 0 ? 1 : ties[lane]};
      }
    }
  }
};

template <typename Error, typename T>
struct ShortColumnLoops : ErrorLanes<Error, T> {
  using Base = ErrorLanes<Error, T>;
  using Base::kStep;
  using typename Base::C;
  using typename Base::Formulas;
  using typename Base::M;
  using typename Base::V;

  static void ranked_errors(const T* y_true, const T* y_pred, int64_t stride, int64_t width,
                            const LossParameters<C>& w, const SelectionNetwork& network,
                            Ranked<C>* found) {
    V lines[SelectionNetwork::kMostLines];
    const auto ranks = static_cast<int64_t>(network.wanted().size());
    for (int64_t c = 0; c < width; c += kStep) {
      const int lanes = static_cast<int>(width - c < kStep ? width - c : kStep);
      const M nan =
          read(y_true + c, y_pred + c, stride, lanes, Base::formulas_of(w), network.lines(), lines);
      NetworkLoops<C>::run(network, lines, nan, lanes, found + c * ranks);
    }
  }

 private:
  // Where there is a NaN.
  static M read(const T* y_true, const T* y_pred, int64_t stride, int count,
                const Formulas formulas, int n, V* lines) {
    M nan{};
    for (int k = 0; k < n; ++k) {
      const int64_t at = k * stride;
      const V e = formulas.error(Base::residuals(y_true + at, y_pred + at, count));
      nan |= e != e;
      lines[k] = e;
    }
    return nan;
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
