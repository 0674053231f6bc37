#pragma once

// The tail that the elements of a vector are compared with, as the loops ask for it: of one group
// for all, or for each that of its own column. `at` is where the vector is, or the positions of
// elements that have been put aside.

#include "cpu/simd/lanes.h"

namespace tailops {
inline namespace TAILOPS_TARGET {

// The same tail for every element.
template <typename C>
struct RowTail {
  Tail<C> tail;

  template <typename At>
  Vector<C> threshold(At) const {
    return broadcast(tail.threshold);
  }
  template <typename At>
  C steepness(At) const {
    return tail.steepness;
  }
  template <typename At>
  Vector<C> lower(At) const {
    return broadcast(tail.lower);
  }
  template <typename At>
  Vector<C> upper(At) const {
    return broadcast(tail.upper);
  }
  Vector<C> band_low(int64_t) const { return broadcast(tail.band_low); }
  Vector<C> band_high(int64_t) const { return broadcast(tail.band_high); }

  RowTail from(int64_t) const { return *this; }

  static constexpr bool kOneForAll = true;
};

// Element i has that of column first + i.
template <typename C>
struct ColumnTail {
  const TailColumns<C>* columns;
  int64_t first;

  template <typename At>
  Vector<C> threshold(At at) const {
    return load(here(columns->threshold, at));
  }
  template <typename At>
  Vector<C> steepness(At at) const {
    return load(here(columns->steepness, at));
  }
  template <typename At>
  Vector<C> lower(At at) const {
    return load(here(columns->lower, at));
  }
  template <typename At>
  Vector<C> upper(At at) const {
    return load(here(columns->upper, at));
  }
  Vector<C> band_low(int64_t i) const { return load(here(columns->band_low, i)); }
  Vector<C> band_high(int64_t i) const { return load(here(columns->band_high, i)); }

  ColumnTail from(int64_t i) const { return {columns, first + i}; }

  static constexpr bool kOneForAll = false;

 protected:
  template <typename Number>
  struct Gathered {
    Number numbers[kLanes<C>];
    operator const Number*() const { return numbers; }
  };

  template <typename Number>
  const Number* here(const std::vector<Number>& of, int64_t i) const {
    return of.data() + first + i;
  }
  template <typename Number>
  Gathered<Number> here(const std::vector<Number>& of, const Position<C>* positions) const {
    const Number* const from_first = of.data() + first;
    Gathered<Number> gathered;
    for (int lane = 0; lane < kLanes<C>; ++lane) {
      gathered.numbers[lane] = from_first[positions[lane]];
    }
    return gathered;
  }
};

// What those get that tie with it.
template <typename C>
struct NearTies {
  TieOf<Wide<C>> lower, upper;
};

// From any source of numbers: wide(member) is that member of the ties.
template <typename C, typename WideOf>
inline TieOf<Wide<C>> wide_tie(const WideOf& wide) {
  return {wide([](const auto& tie) -> const auto& { return tie.weight; }),
          wide([](const auto& tie) -> const auto& { return tie.spike; }),
          wide([](const auto& tie) -> const auto& { return tie.expected; }),
          wide([](const auto& tie) -> const auto& { return tie.through; })};
}

template <typename C>
struct TiedRowTail : RowTail<C> {
  Ties ties;

  template <typename At>
  NearTies<C> near_ties(At) const {
    return {wide(ties.lower), wide(ties.upper)};
  }

  TiedRowTail from(int64_t) const { return *this; }

 private:
  static TieOf<Wide<C>> wide(const Tie& tie) {
    return wide_tie<C>([&](const auto& member) { return wide_broadcast<C>(member(tie)); });
  }
};

template <typename C>
struct TiedColumnTail : ColumnTail<C> {
  template <typename At>
  NearTies<C> near_ties(At at) const {
    return {wide(this->columns->lower_ties, at), wide(this->columns->upper_ties, at)};
  }

  TiedColumnTail from(int64_t i) const { return {ColumnTail<C>::from(i)}; }

 private:
  template <typename At>
  TieOf<Wide<C>> wide(const TieOf<std::vector<double>>& ties, At at) const {
    return wide_tie<C>(
        [&](const auto& member) { return wide_load<C>(this->here(member(ties), at)); });
  }
};

}  // namespace TAILOPS_TARGET
}  // namespace tailops
