#pragma once

// A custom call's buffers as the steps of a union take them.

#include <string>

#include "call/union.h"
#include "core/integer_parts.h"
#include "formulas/state.h"
#include "formulas/union_search.h"
#include "xla/shared/arguments.h"

namespace tailops {

inline int read_key_bits(const DictionaryReader& reader) {
  const int64_t bits = reader.integer("key_bits");
  if (bits == 32 || bits == 64) return static_cast<int>(bits);
  throw std::invalid_argument("key_bits=" + std::to_string(bits) + ": must be 32 or 64");
}

inline UnionRound read_union_round(const DictionaryReader& reader) {
  const int bits = read_key_bits(reader);
  const int64_t number = reader.integer("round"), targets = reader.integer("targets");
  require_round(number, bits);
  require_targets(targets);
  return {bits, static_cast<int>(number), static_cast<int>(targets)};
}

// The options of a call, of which some numbers may be in a buffer, the first of `others`.
template <typename Device>
Options read_options(const Attributes& read, const DictionaryReader& reader,
                     xla::ffi::RemainingArgs others, Device& device) {
  if (scheduled_of(reader) == 0) return read.options;
  const xla::ffi::AnyBuffer numbers = buffer_of("numbers", others, 0);
  return with_numbers(read.options, device.numbers(rows_of<StepNumbers>("numbers", numbers, 1)));
}

template <typename Device>
Options read_options(const DictionaryReader& reader, xla::ffi::RemainingArgs others,
                     Device& device) {
  return read_options(read_call_attributes(reader), reader, others, device);
}

// How many groups a search has.
inline int64_t groups_of_search(const xla::ffi::AnyBuffer& search) {
  return static_cast<int64_t>(search.size_bytes() / sizeof(UnionSearch));
}

// The parts of rows of numbers that a buffer has, as these rows.
template <typename Row, typename Device>
const Row* read_rows(const char* name, const xla::ffi::AnyBuffer& buffer, int64_t rows,
                     Device& device) {
  const int64_t numbers = rows * static_cast<int64_t>(sizeof(Row) / sizeof(double));
  Row* const read = device.template room<Row>(rows);
  device.read_parts(rows_of<NumberParts>(name, buffer, numbers), numbers,
                    reinterpret_cast<double*>(read));
  return read;
}

template <typename Row, typename Device>
void write_rows(const char* name, const Row* rows, int64_t count, const xla::ffi::AnyBuffer& buffer,
                Device& device) {
  const int64_t numbers = count * static_cast<int64_t>(sizeof(Row) / sizeof(double));
  device.write_parts(reinterpret_cast<const double*>(rows), numbers,
                     rows_of<NumberParts>(name, buffer, numbers));
}

struct DescentArguments {
  UnionRound round;
  int64_t groups;
  const int64_t* counts;
  const UnionSearch* before;
  UnionSearch* after;
};

// For what may need so many targets. std::invalid_argument unless the counts are those of a round.
template <typename Device>
DescentArguments read_descent(const DictionaryReader& reader, int targets,
                              const xla::ffi::AnyBuffer& counts, const xla::ffi::AnyBuffer& before,
                              const xla::ffi::AnyBuffer& after, Device& device) {
  const UnionRound round = read_union_round(reader);
  require_tables(round, targets);
  const int64_t groups = groups_of_search(before), size = groups * round.columns();
  int64_t* const read = device.template room<int64_t>(size);
  device.read_parts(rows_of<CountParts>("counts", counts, size), size, read);
  return {round, groups, read, rows_of<UnionSearch>("search", before, groups),
          rows_of<UnionSearch>("found", after, groups)};
}

}  // namespace tailops
