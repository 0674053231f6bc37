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

TAILOPS_HOST_DEVICE bool have_one_prefix(const UnionSearch& search) {
  return search.lower.prefix == search.upper.prefix;
}

// A group's counts in a round are a table of its digit for each prefix that is looked into: of the
// first round, one, and behind it how many are NaN, which the tables leave out.
struct UnionRound {
  int key_bits;
  int number;
  int targets;  // prefixes that there may be: 1 or 2

  TAILOPS_HOST_DEVICE bool is_first() const { return number == 0; }
  TAILOPS_HOST_DEVICE Digit digit() const { return digit_of_round(key_bits, number); }
  TAILOPS_HOST_DEVICE int64_t columns() const {
    const int64_t table = digit().count();
    return is_first() ? table + 1 : table * targets;
  }

  // How many tables are in use, from what was found before.
  TAILOPS_HOST_DEVICE int tables(const UnionSearch& before) const {
    return is_first() || have_one_prefix(before) ? 1 : targets;
  }
};

// Where in a table of counts a rank falls: the last digit where it is beyond all of them, as NaNs
// leave fewer numbers than it needs. Nobody will ask for that element.
struct DigitPlace {
  int64_t digit;
  int64_t smaller;  // elements whose digit is smaller,
  int64_t ties;     // and that have it
};

TAILOPS_HOST_DEVICE void descend(UnionTarget& target, const DigitPlace& place, const Digit& digit) {
  target.rank -= place.smaller;
  target.smaller += place.smaller;
  target.ties = place.ties;
  target.prefix |= static_cast<int64_t>(static_cast<uint64_t>(place.digit) << digit.shift);
}

// Before the first round's descent; ranks_among(valid) are the UnionRanks of so many elements, more
// than none.
template <typename RanksAmong>
TAILOPS_HOST_DEVICE UnionSearch begin_search(int64_t numbers, int64_t nans,
                                             const RanksAmong& ranks_among) {
  UnionSearch search{};
  search.nans = nans;
  search.valid = numbers + nans;
  if (search.valid == 0) return search;
  const UnionRanks ranks = ranks_among(search.valid);
  search.lower.rank = ranks.lower;
  search.upper.rank = ranks.upper;
  return search;
}

}  // namespace tailops
