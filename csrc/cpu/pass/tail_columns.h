#pragma once

// The state of the groups in the form the loops take.

#include <vector>

#include "call/groups.h"
#include "cpu/pass/columns.h"
#include "cpu/simd/loops.h"
#include "formulas/band.h"
#include "formulas/state.h"

namespace tailops {

// body(g, for_each_entry): every column, and where it is in TailColumns.
template <typename Body>
void for_each_column(int64_t outer, int64_t inner, int64_t repeat, const Body& body) {
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t c = 0; c < inner; ++c) {
      body(o * inner + c, [=](const auto& at) {
        for (int64_t r = 0; r < repeat; ++r) at(static_cast<size_t>((o * repeat + r) * inner + c));
      });
    }
  }
}

// For each matrix its columns, `repeat` times, as for_each_run numbers them.
template <typename C>
TailColumns<C> columns_of(const GroupState* state, int64_t outer, int64_t inner, int64_t repeat,
                          const LossParameters<C>& parameters) {
  TailColumns<C> columns;
  const auto size = static_cast<size_t>(outer * inner * repeat + kSlack);
  visit_tails([&](auto& of) { of.resize(size); }, columns);
  for_each_column(outer, inner, repeat, [&](int64_t g, const auto& for_each_entry) {
    const Tail<C> tail = tail_of(state[g], parameters);
    for_each_entry(
        [&](size_t i) { visit_tails([&](auto& all, C one) { all[i] = one; }, columns, tail); });
  });
  return columns;
}

// Of the whole tensor; empty where groups are not columns.
template <typename C>
TailColumns<C> columns_of(const GroupState* state, const Groups& groups,
                          const LossParameters<C>& parameters) {
  if (groups.inner == 1) return {};
  return columns_of(state, groups.outer, groups.inner, rows_of_run(groups), parameters);
}

// Of columns that are repeated as above.
template <typename C>
void add_ties(TailColumns<C>& columns, const std::vector<Ties>& ties, int64_t inner,
              int64_t repeat) {
  for (auto* of : {&columns.lower_ties, &columns.upper_ties}) {
    visit_ties([&](auto& all) { all.resize(columns.threshold.size()); }, *of);
  }
  const auto set = [](TieOf<std::vector<double>>& of, size_t i, const Tie& tie) {
    visit_ties([&](auto& all, double one) { all[i] = one; }, of, tie);
  };
  const int64_t outer = static_cast<int64_t>(ties.size()) / inner;
  for_each_column(outer, inner, repeat, [&](int64_t g, const auto& for_each_entry) {
    const Ties& of = ties[static_cast<size_t>(g)];
    for_each_entry([&](size_t i) {
      set(columns.lower_ties, i, of.lower);
      set(columns.upper_ties, i, of.upper);
    });
  });
}

}  // namespace tailops
