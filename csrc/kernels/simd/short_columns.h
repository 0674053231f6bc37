#pragma once

// The order statistics of short columns, as many side by side as a vector has lanes.

#include <limits>

#include "lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename C>
struct NetworkLoops : Lanes<C> {
  using Base = Lanes<C>;
  using Base::kStep;
  using typename Base::M;
  using typename Base::V;

  static void run(const SelectionNetwork& network, V* lines) {
    for (const SelectionNetwork::Comparator& c : network.comparators()) {
      const V a = lines[c.smaller], b = lines[c.larger];
      lines[c.smaller] = smaller_of(a, b);
      lines[c.larger] = larger_of(a, b);
    }
  }

  // For each lane, how many lines have this value. The network has moved the values about, and they
  // are all still there.
  static M count(const SelectionNetwork& network, const V* lines, V value) {
    M count{};
    for (int k = 0; k < network.lines(); ++k) count -= lines[k] == value;
    return count;
  }

  static void ranked_columns(const C* values, int64_t stride, int64_t width,
                             const SelectionNetwork& network, Ranked<C>* found) {
    V lines[SelectionNetwork::kMostLines];
    const auto ranks = static_cast<int64_t>(network.wanted().size());
    for (int64_t c = 0; c < width; c += kStep) {
      const int lanes = static_cast<int>(width - c < kStep ? width - c : kStep);
      M nan{};
      for (int k = 0; k < network.lines(); ++k) {
        lines[k] = Base::load_count(values + k * stride + c, lanes);
        nan |= lines[k] != lines[k];
      }
      run(network, lines);
      for (int64_t r = 0; r < ranks; ++r) {
        const V nans = broadcast(std::numeric_limits<C>::quiet_NaN());
        const V value = choose(nan, nans, lines[network.wanted()[static_cast<size_t>(r)]]);
        const M ties = count(network, lines, value);
        for (int lane = 0; lane < lanes; ++lane) {
          found[(c + lane) * ranks + r] = {value[lane], 0, nan[lane] != 0 ? 1 : ties[lane]};
        }
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

  using Network = NetworkLoops<C>;

  static void column_statistics(const T* y_true, const T* y_pred, int64_t stride, int64_t width,
                                const Weights<C>& w, const SelectionNetwork& network,
                                OrderStatistics<C>* found) {
    V lines[SelectionNetwork::kMostLines];
    for (int64_t c = 0; c < width; c += kStep) {
      const int count = static_cast<int>(width - c < kStep ? width - c : kStep);
      const M nan =
          read(y_true + c, y_pred + c, stride, count, Base::formulas_of(w), network.lines(), lines);
      Network::run(network, lines);
      write(network, lines, nan, count, found + c);
    }
  }

 private:
  // Where there is a NaN.
  static M read(const T* y_true, const T* y_pred, int64_t stride, int count,
                const Formulas formulas, int n, V* lines) {
    M nan{};
    for (int k = 0; k < n; ++k) {
      const int64_t at = k * stride;
      const V e = formulas.error(Base::load_count(y_pred + at, count) -
                                 Base::load_count(y_true + at, count));
      nan |= e != e;
      lines[k] = e;
    }
    return nan;
  }

  static void write(const SelectionNetwork& network, const V* lines, M nan, int count,
                    OrderStatistics<C>* found) {
    const V nans = broadcast(std::numeric_limits<C>::quiet_NaN());
    const V lower = choose(nan, nans, lines[network.wanted().front()]);
    const V upper = choose(nan, nans, lines[network.wanted().back()]);
    const M lower_count = Network::count(network, lines, lower);
    const M upper_count = Network::count(network, lines, upper);
    for (int lane = 0; lane < count; ++lane) {
      const bool is_nan = nan[lane] != 0;
      found[lane] = {lower[lane], upper[lane], is_nan ? 1 : lower_count[lane],
                     is_nan ? 1 : upper_count[lane]};
    }
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
