#pragma once

// Order statistics of the union of shares that nobody holds together: each share's keys are counted
// by their next digit, the counts are added up over all shares, and the search descends into the
// digit that holds the rank. A fixed number of rounds, whatever the data.

#include <cstdint>

#include "core/host_device.h"
#include "formulas/digits.h"

namespace tailops {

// An order statistic that is searched for. Once all digits are found, the prefix is its key.
struct UnionTarget {
  int64_t rank;     // among the elements that share the prefix
  int64_t prefix;   // of the key, as bits; zeros where a digit is not found yet
  int64_t smaller;  // elements below all that share the prefix
  int64_t ties;     // elements that share it
};

// Of a group. As the rows of an array of int64: (groups, kUnionColumns).
struct UnionSearch {
  int64_t valid;  // elements that are not ignored,
  int64_t nans;   // and how many of these are NaN
  UnionTarget lower;
  UnionTarget upper;
};
constexpr int64_t kUnionColumns = sizeof(UnionSearch) / sizeof(int64_t);

struct UnionRanks {
  int64_t lower;
  int64_t upper;
};

// A group's counts in a round are a table of its digit for each prefix that is looked into: of the
// first round, one, and behind it how many are NaN, which the table leaves out.
TAILOPS_HOST_DEVICE int64_t union_count_columns(int key_bits, int round, int targets) {
  const int64_t table = digit_of_round(key_bits, round).count();
  return round == 0 ? table + 1 : table * targets;
}

TAILOPS_HOST_DEVICE bool have_one_prefix(const UnionSearch& search) {
  return search.lower.prefix == search.upper.prefix;
}

// Where NaNs leave fewer numbers than the rank needs, the last digit: nobody will ask.
TAILOPS_HOST_DEVICE void descend(UnionTarget& target, const int64_t* table, const Digit& digit) {
  int64_t found = 0;
  while (found + 1 < digit.count() && target.rank >= table[found]) {
    target.rank -= table[found];
    target.smaller += table[found];
    ++found;
  }
  target.ties = table[found];
  target.prefix |= static_cast<int64_t>(static_cast<uint64_t>(found) << digit.shift);
}

// The first round: ranks_among(valid) are the UnionRanks of so many elements, more than none.
template <typename RanksAmong>
TAILOPS_HOST_DEVICE UnionSearch begin_search(const int64_t* counts, int key_bits,
                                             const RanksAmong& ranks_among) {
  const Digit digit = digit_of_round(key_bits, 0);
  UnionSearch search{};
  search.nans = counts[digit.count()];
  search.valid = search.nans;
  for (int value = 0; value < digit.count(); ++value) search.valid += counts[value];
  if (search.valid == 0) return search;
  const UnionRanks ranks = ranks_among(search.valid);
  search.lower.rank = ranks.lower;
  search.upper.rank = ranks.upper;
  descend(search.lower, counts, digit);
  descend(search.upper, counts, digit);
  return search;
}

// Any other round.
TAILOPS_HOST_DEVICE void continue_search(UnionSearch& search, const int64_t* counts, int key_bits,
                                         int round) {
  const Digit digit = digit_of_round(key_bits, round);
  const int64_t* const of_upper = have_one_prefix(search) ? counts : counts + digit.count();
  descend(search.lower, counts, digit);
  descend(search.upper, of_upper, digit);
}

}  // namespace tailops
