#pragma once

// The error and the loss of each element.

#include "cpu/simd/tail.h"
#include "cpu/simd/tiles.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename Error, typename T>
struct LossLoops : TileLoops<Error, T> {
  using Base = TileLoops<Error, T>;
  using Base::kStep;
  using typename Base::Aside;
  using typename Base::C;
  using typename Base::Formulas;
  using typename Base::M;
  using typename Base::Output;
  using typename Base::V;

  // So few are written without putting any aside.
  static constexpr int64_t kFew = 64;

  static void errors(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                     C* out) {
    const Formulas formulas = Base::formulas_of(w);
    Base::for_each_residual(y_true, y_pred, n, [&](V d, int64_t i, M, int count) TAILOPS_INLINE {
      Base::store_count(out + i, formulas.error(d), count);
    });
  }

  template <typename Where>
  struct Tile {
    const T* y_true;
    const T* y_pred;
    Where where;
    Formulas formulas;

    V residuals(int64_t i, int count) const {
      return Base::residuals(y_true + i, y_pred + i, count);
    }

    V far(V d, V e, M above, int64_t, int) const {
      return formulas.mixed(d, formulas.far_weighted(e, above));
    }

    template <typename At>
    V near(V d, V e, At at) const {
      const Indicator<V> h = formulas.indicator(e, where.threshold(at), where.steepness(at));
      return formulas.mixed(d, formulas.weighted(e, h));
    }
  };

  template <typename AnyTile>
  [[gnu::noinline]] static void write_near(const AnyTile tile, Aside& aside, T* to) {
    aside.pad();
    T written[kStep];
    for (int k = 0; k < aside.count; k += kStep) {
      const Position<C>* const positions = aside.positions + k;
      const V d = load(aside.residuals + k);
      store(written, tile.near(d, tile.formulas.error(d), positions));
      const int lanes = aside.count - k < kStep ? aside.count - k : kStep;
      for (int lane = 0; lane < lanes; ++lane) to[positions[lane]] = written[lane];
    }
  }

  // The same losses where many elements are near. Returns how many are.
  template <typename AnyTile, typename U>
  static int64_t write_all(const AnyTile& tile, int64_t n, U* to) {
    const int64_t whole = n / kStep * kStep;
    int64_t near = write_any(tile, 0, whole, kStep, to);
    if (whole < n) near += write_any(tile, whole, n, static_cast<int>(n - whole), to);
    return near;
  }

  // Whole vectors or one of `count` elements.
  template <typename AnyTile, typename U>
  [[gnu::noinline]] static int64_t write_any(const AnyTile& any, int64_t begin, int64_t end,
                                             int count, U* to) {
    const AnyTile tile = any;
    const M valid = first_lanes<C>(count);
    int64_t near_count = 0;
    for (int64_t i = begin; i < end; i += kStep) {
      const V d = tile.residuals(i, count);
      const V e = tile.formulas.error(d);
      const M above = e > tile.where.band_high(i);
      const M near = ~((e < tile.where.band_low(i)) | above);
      const uint32_t bits = bits_of(valid & near);
      near_count += __builtin_popcount(bits);
      V loss = tile.far(d, e, above, i, count);
      if (bits != 0) loss = choose(near, tile.near(d, e, i), loss);
      Base::store_count(to + i, loss, count);
    }
    return near_count;
  }

  template <typename Where>
  static void run(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                  const Where& where, bool streamed, T* out) {
    const Formulas formulas = Base::formulas_of(w);
    if (n <= kFew) {
      write_all(Tile<Where>{y_true, y_pred, where, formulas}, n, out);
      return;
    }
    Output output(out, streamed);
    Base::template write_tiles<LossLoops>(n, output, [&](int64_t begin) TAILOPS_INLINE {
      return Tile<Where>{y_true + begin, y_pred + begin, where.from(begin), formulas};
    });
  }

  static void losses(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                     const Tail<C>& tail, bool streamed, T* out) {
    run(y_true, y_pred, n, w, RowTail<C>{tail}, streamed, out);
  }

  static void column_losses(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                            const TailColumns<C>& columns, int64_t first, bool streamed, T* out) {
    run(y_true, y_pred, n, w, ColumnTail<C>{&columns, first}, streamed, out);
  }

  // For sums of rows: there, putting elements aside costs what it saves.
  static void wide_losses(const T* y_true, const T* y_pred, int64_t n, const LossParameters<C>& w,
                          const Tail<C>& tail, C* out) {
    const RowTail<C> where{tail};
    write_all(Tile<RowTail<C>>{y_true, y_pred, where, Base::formulas_of(w)}, n, out);
  }

  static void wide_column_losses(const T* y_true, const T* y_pred, int64_t n,
                                 const LossParameters<C>& w, const TailColumns<C>& columns,
                                 int64_t first, C* out) {
    const ColumnTail<C> where{&columns, first};
    write_all(Tile<ColumnTail<C>>{y_true, y_pred, where, Base::formulas_of(w)}, n, out);
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
