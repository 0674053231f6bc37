#pragma once

// The pass that reads a group once: it adds up what is far from the bracket and keeps the rest.

#include "cpu/simd/lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename Error, typename T>
struct CollectLoops : ErrorLanes<Error, T> {
  using Base = ErrorLanes<Error, T>;
  using Base::kStep;
  using Base::kTile;
  using typename Base::C;
  using typename Base::Formulas;
  using typename Base::M;
  using typename Base::V;

  // Both sides of the bracket.
  template <bool kSquares>
  struct Between {
    const Formulas formulas;
    const Bracket<C> bracket;
    C* candidate;
    V below_sum{}, above_sum{}, square_sum{};  // of a tile
    M below_count{}, low_count{}, high_count{};

    TAILOPS_INLINE void step(V d, M valid) {
      const V e = formulas.error(d);
      const M below = (e < bracket.band_low) & valid;
      const M above = (e > bracket.band_high) & valid;
      below_count -= below;
      below_sum += Base::zero_unless(below, e);
      above_sum += Base::zero_unless(above, e);
      if (kSquares) square_sum += Base::zero_unless(valid, d * d);
      const M at_low = valid & (e == bracket.low);
      const M at_high = valid & (e == bracket.high) & ~at_low;
      low_count -= at_low;
      high_count -= at_high;
      const uint32_t kept = bits_of(valid) & ~bits_of(below | above | at_low | at_high);
      if (Base::kBranchesOnKept && kept == 0) return;
      candidate += compact(candidate, e, kept);
    }

    void finish(int64_t /*n*/, Collected<C>& found) const {
      for (int lane = 0; lane < kStep; ++lane) {
        found.below += below_count[lane];
        found.at_low += low_count[lane];
        found.at_high += high_count[lane];
      }
    }
  };

  // Only the lower side, where little lies above it: all of that is kept.
  template <bool kSquares>
  struct FromBelow {
    const Formulas formulas;
    const Bracket<C> bracket;
    C* candidate;
    V below_sum{}, above_sum{}, square_sum{};  // of a tile

    TAILOPS_INLINE void step(V d, M valid) {
      const V e = formulas.error(d);
      const M below = (e < bracket.band_low) & valid;
      below_sum += Base::zero_unless(below, e);
      if (kSquares) square_sum += Base::zero_unless(valid, d * d);
      const uint32_t kept = bits_of(valid) & ~bits_less(e, broadcast(bracket.band_low));
      if (Base::kBranchesOnKept && kept == 0) return;
      candidate += compact(candidate, e, kept);
    }

    void finish(int64_t n, Collected<C>& found) const {
      found.below += n - (candidate - (found.candidates + found.count));
    }
  };

  template <typename Pass>
  static void run(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                  const Bracket<C>& bracket, Collected<C>& found) {
    Pass pass{Base::formulas_of(w), bracket, found.candidates + found.count};
    TileSums<C> below_sum, above_sum, square_sum;
    const auto flush = [&]() TAILOPS_INLINE {
      below_sum.add(pass.below_sum);
      above_sum.add(pass.above_sum);
      square_sum.add(pass.square_sum);
      pass.below_sum = pass.above_sum = pass.square_sum = V{};
    };
    const M all = M{} - 1;
    int64_t i = 0;
    for (; i + kStep * kTile <= n; flush()) {
      for (int k = 0; k < kTile; ++k, i += kStep) {
        Base::fetch_ahead(y_true + i, y_pred + i, k);
        pass.step(Base::residuals(y_true + i, y_pred + i, kStep), all);
      }
    }
    Base::for_each_residual(y_true + i, y_pred + i, n - i,
                            [&](V d, int64_t, M valid, int)
                                TAILOPS_INLINE { pass.step(d, valid); });
    flush();
    pass.finish(n, found);
    found.count = pass.candidate - found.candidates;
    found.below_sum += below_sum.total();
    found.above_sum += above_sum.total();
    found.square_sum += square_sum.total();
  }

  static void collect(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                      const Bracket<C>& bracket, Collected<C>& found) {
    const auto pass = w.beta == C(0) ? run<Between<false>> : run<Between<true>>;
    pass(y_true, y_pred, n, w, bracket, found);
  }

  static void collect_from(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                           const Bracket<C>& bracket, Collected<C>& found) {
    const auto pass = w.beta == C(0) ? run<FromBelow<false>> : run<FromBelow<true>>;
    pass(y_true, y_pred, n, w, bracket, found);
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
