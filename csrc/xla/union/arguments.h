#pragma once

// A custom call's buffers as the steps of a union take them.

#include <algorithm>
#include <vector>

#include "call/union.h"
#include "core/integer_parts.h"
#include "core/subnormals.h"
#include "formulas/union_search.h"
#include "xla/shared/arguments.h"

namespace tailops {

// Which round of a search, for keys of so many bits.
struct UnionRound {
  int number;
  int key_bits;
};

inline int read_key_bits(const DictionaryReader& reader) {
  const int64_t bits = reader.integer("key_bits");
  if (bits == 32 || bits == 64) return static_cast<int>(bits);
  throw std::invalid_argument("key_bits=" + std::to_string(bits) + ": must be 32 or 64");
}

inline UnionRound read_union_round(const DictionaryReader& reader) {
  const int bits = read_key_bits(reader);
  const int64_t number = reader.integer("round");
  require_round(number, bits);
  return {static_cast<int>(number), bits};
}

inline int read_union_targets(const DictionaryReader& reader) {
  const int64_t targets = reader.integer("targets");
  require_targets(targets);
  return static_cast<int>(targets);
}

// A buffer of int32 parts, and what they are the parts of: rows of float64 numbers.
template <typename Row>
std::vector<Row> rows_of_parts(const char* name, const xla::ffi::AnyBuffer& buffer, int64_t rows) {
  const KeepSubnormals guard;
  constexpr int64_t kNumbers = sizeof(Row) / sizeof(double);
  const NumberParts* const parts = rows_of<NumberParts>(name, buffer, rows * kNumbers);
  std::vector<Row> numbers(static_cast<size_t>(rows));
  std::transform(parts, parts + rows * kNumbers, reinterpret_cast<double*>(numbers.data()),
                 number_of_parts);
  return numbers;
}

template <typename Row>
void write_parts(const char* name, const std::vector<Row>& numbers,
                 const xla::ffi::AnyBuffer& buffer) {
  const int64_t count = static_cast<int64_t>(numbers.size() * sizeof(Row) / sizeof(double));
  const double* const first = reinterpret_cast<const double*>(numbers.data());
  std::transform(first, first + count, rows_of<NumberParts>(name, buffer, count), parts_of_number);
}

inline void write_counts(const std::vector<int64_t>& counts, const xla::ffi::AnyBuffer& buffer) {
  const int64_t count = static_cast<int64_t>(counts.size());
  std::transform(counts.begin(), counts.end(), rows_of<CountParts>("counts", buffer, count),
                 parts_of_count);
}

// How many groups a search has.
inline int64_t groups_of_search(const xla::ffi::AnyBuffer& search) {
  return static_cast<int64_t>(search.size_bytes() / sizeof(UnionSearch));
}

struct DescentArguments {
  UnionRound round;
  int64_t groups;
  int64_t columns;
  std::vector<int64_t> counts;
  const UnionSearch* before;
  UnionSearch* after;
};

// std::invalid_argument unless the counts are those of a round for one target or two.
inline DescentArguments read_descent(const DictionaryReader& reader,
                                     const xla::ffi::AnyBuffer& counts,
                                     const xla::ffi::AnyBuffer& before,
                                     const xla::ffi::AnyBuffer& after) {
  DescentArguments call{
      read_union_round(reader), groups_of_search(before), 0, {}, nullptr, nullptr};
  call.columns =
      union_count_columns(call.round.key_bits, call.round.number, read_union_targets(reader));
  const int64_t size = call.groups * call.columns;
  const CountParts* const parts = rows_of<CountParts>("counts", counts, size);
  call.counts.resize(static_cast<size_t>(size));
  std::transform(parts, parts + size, call.counts.begin(), count_of_parts);
  call.before = rows_of<UnionSearch>("search", before, call.groups);
  call.after = rows_of<UnionSearch>("found", after, call.groups);
  return call;
}

}  // namespace tailops
