#pragma once

// A result per element, a tile at a time: one pass that writes what is far from the threshold and
// puts aside where the rest is, so that exponentials are computed for full vectors of elements that
// need one.

#include "core/streaming.h"
#include "cpu/simd/lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

template <typename Error, typename T>
struct TileLoops : ErrorLanes<Error, T> {
  using Base = ErrorLanes<Error, T>;
  using Base::kStep;
  using typename Base::C;
  using typename Base::M;
  using typename Base::V;

  // Elements whose results wait in a buffer until those near the threshold are there too.
  static constexpr int kTileLength = 1024;
  // Where more than this part is near, exponentials for all cost less than gathering those that
  // need one. A threshold of each element's own has to be gathered as well.
  template <typename Where>
  static constexpr bool are_many(int64_t near, int64_t of) {
    return 8 * near > (Where::kOneForAll ? 7 : 4) * of;
  }

  // The elements of a tile that are near the threshold.
  struct Aside {
    C residuals[kTileLength + kSlack];
    Position<C> positions[kTileLength + kSlack];
    int count = 0;

    // Makes the last vector a whole one.
    void pad() {
      for (int k = count; k < count + kStep; ++k) {
        residuals[k] = residuals[0];
        positions[k] = positions[0];
      }
    }
  };

  // Writes [begin, end) as if all were far from the threshold, whole vectors or one of `count`
  // elements, and puts those aside that are not.
  template <typename Tile>
  static TAILOPS_INLINE void write_far(const Tile& any, int64_t begin, int64_t end, int count,
                                       T* to, Aside& aside) {
    // A copy that is nowhere else: as far as the compiler knows, what is written might be the tile.
    const Tile tile = any;
    M position = lane_numbers<C>() + static_cast<Position<C>>(begin);
    const M valid = first_lanes<C>(count);
    int near = aside.count;
    for (int64_t i = begin; i < end; i += kStep, position += kStep) {
      Base::fetch_ahead(tile.y_true + i, tile.y_pred + i, i / kStep);
      const V d = tile.residuals(i, count);
      const V e = tile.formulas.error(d);
      const M above = e > tile.where.band_high(i);
      Base::store_count(to + i, tile.far(d, e, above, i, count), count);
      const uint32_t bits =
          Base::bits_inside(e, tile.where.band_low(i), tile.where.band_high(i), valid);
      if (Base::kBranchesOnKept && bits == 0) continue;
      compact(aside.residuals + near, d, bits);
      near += compact(aside.positions + near, position, bits);
    }
    aside.count = near;
  }

  // Where results go, which may be over the inputs: they wait until the tile is done.
  struct Output {
    alignas(kVectorBytes) T written[kTileLength];
    T* const out;
    const bool streamed;

    Output(T* out_in, bool streamed_in) : out(out_in), streamed(streamed_in) {}

    void finish_tile(int64_t begin, int64_t count) {
      const size_t bytes = static_cast<size_t>(count) * sizeof(T);
      if (streamed) return stream(out + begin, written, bytes);
      memcpy(static_cast<void*>(out + begin), written, bytes);
    }
  };

  // tile_at(begin) is the tile from there on. Results::write_near(tile, aside, to) writes those put
  // aside, which is at least one; Results::write_all(tile, count, to) the whole tile where many are
  // near, and returns how many.
  template <typename Results, typename TileAt>
  static TAILOPS_INLINE void write_tiles(int64_t n, Output& output, const TileAt& tile_at) {
    Aside aside;
    bool many_are_near = false;
    for (int64_t begin = 0; begin < n; begin += kTileLength) {
      const int64_t count = n - begin < kTileLength ? n - begin : kTileLength;
      const auto tile = tile_at(begin);
      using Where = decltype(tile.where);
      T* const to = output.written;
      if (!many_are_near) {
        const int64_t whole = count / kStep * kStep;
        aside.count = 0;
        write_far(tile, 0, whole, kStep, to, aside);
        if (whole < count) {
          write_far(tile, whole, count, static_cast<int>(count - whole), to, aside);
        }
        many_are_near = are_many<Where>(aside.count, count);
        if (!many_are_near && aside.count != 0) Results::write_near(tile, aside, to);
      }
      if (many_are_near)
        many_are_near = are_many<Where>(Results::write_all(tile, count, to), count);
      output.finish_tile(begin, count);
    }
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
