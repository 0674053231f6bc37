// setp, set, selp, slct, testp.

#include <cmath>

#include "instructions/apply.h"
#include "instructions/families.h"
#include "instructions/float_functions.h"
#include "instructions/halves.h"

namespace virtual_gpu {
namespace {

enum Comparison {
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,  // ordered: false with NaN
  kEqu,
  kNeu,
  kLtu,
  kLeu,
  kGtu,
  kGeu,  // unordered: true with NaN
  kNum,
  kNan,
  kUnknown
};
enum class Join { kNone, kAnd, kOr, kXor };

// How a lane is taken as a number that can be compared.
template <typename T>
struct Plain {
  static T of(uint64_t lane) { return get<T>(lane); }
};
struct Flushed {
  static float of(uint64_t lane) { return flushed(get<float>(lane)); }
};
template <typename Number>
struct Widened {
  static double of(uint64_t lane) { return Number::widen(get<uint16_t>(lane)); }
};

template <Comparison kComparison, typename T>
bool holds(T a, T b) {
  const bool is_unordered = a != a || b != b;
  switch (kComparison) {
    case kEq:
      return a == b;
    case kNe:
      return !is_unordered && a != b;
    case kLt:
      return a < b;
    case kLe:
      return a <= b;
    case kGt:
      return a > b;
    case kGe:
      return a >= b;
    case kEqu:
      return is_unordered || a == b;
    case kNeu:
      return a != b;
    case kLtu:
      return is_unordered || a < b;
    case kLeu:
      return is_unordered || a <= b;
    case kGtu:
      return is_unordered || a > b;
    case kGeu:
      return is_unordered || a >= b;
    case kNum:
      return !is_unordered;
    default:
      return is_unordered;
  }
}

bool joined(Join join, bool a, bool b) {
  switch (join) {
    case Join::kAnd:
      return a && b;
    case Join::kOr:
      return a || b;
    case Join::kXor:
      return a != b;
    default:
      return a;
  }
}

// p = (a ∘ b) with c, and q = not (a ∘ b) with c.
template <Comparison kComparison, typename Number>
void set_predicate(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const a = warp.read(instruction.from[0]);
  const uint64_t* const b = warp.read(instruction.from[1]);
  uint64_t* const p = warp.write(instruction.to[0]);
  const auto join = static_cast<Join>(instruction.choice);
  if (join == Join::kNone && instruction.second_predicate == Instruction::kNone) {
    return for_lanes(mask, [=](int lane) {
      p[lane] = holds<kComparison>(Number::of(a[lane]), Number::of(b[lane])) ? 1 : 0;
    });
  }
  for_lanes(mask, [&](int lane) {
    const bool is_true = holds<kComparison>(Number::of(a[lane]), Number::of(b[lane]));
    const bool c = join != Join::kNone && (warp.read(instruction.from[2])[lane] & 1) != 0;
    p[lane] = joined(join, is_true, c) ? 1 : 0;
    if (instruction.second_predicate != Instruction::kNone) {
      warp.write(instruction.second_predicate)[lane] = joined(join, !is_true, c) ? 1 : 0;
    }
  });
}

// set: all ones, or 1.0, where it holds.
template <Comparison kComparison, typename Number>
void set_number(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const a = warp.read(instruction.from[0]);
  const uint64_t* const b = warp.read(instruction.from[1]);
  uint64_t* const to = warp.write(instruction.to[0]);
  const uint64_t value = instruction.type == Type::kF32 ? put(1.0f) : 0xffffffff;
  for_lanes(mask, [=](int lane) {
    to[lane] = holds<kComparison>(Number::of(a[lane]), Number::of(b[lane])) ? value : 0;
  });
}

struct ToPredicate {
  template <Comparison kComparison, typename Number>
  static constexpr Execute execute = set_predicate<kComparison, Number>;
};
struct ToNumber {
  template <Comparison kComparison, typename Number>
  static constexpr Execute execute = set_number<kComparison, Number>;
};

template <typename To, typename Number, int kIndex = 0>
Execute by_comparison(Comparison comparison) {
  if constexpr (kIndex == kUnknown) {
    return nullptr;
  } else {
    constexpr auto kThis = static_cast<Comparison>(kIndex);
    return comparison == kThis ? To::template execute<kThis, Number>
                               : by_comparison<To, Number, kIndex + 1>(comparison);
  }
}

template <typename To>
Execute by_type(Form& form, Type type, Comparison comparison) {
  switch (type) {
    case Type::kB16:
    case Type::kU16:
      return by_comparison<To, Plain<uint16_t>>(comparison);
    case Type::kS16:
      return by_comparison<To, Plain<int16_t>>(comparison);
    case Type::kB32:
    case Type::kU32:
      return by_comparison<To, Plain<uint32_t>>(comparison);
    case Type::kS32:
      return by_comparison<To, Plain<int32_t>>(comparison);
    case Type::kB64:
    case Type::kU64:
      return by_comparison<To, Plain<uint64_t>>(comparison);
    case Type::kS64:
      return by_comparison<To, Plain<int64_t>>(comparison);
    case Type::kF32:
      return form.take("ftz") ? by_comparison<To, Flushed>(comparison)
                              : by_comparison<To, Plain<float>>(comparison);
    case Type::kF64:
      return by_comparison<To, Plain<double>>(comparison);
    case Type::kF16:
      return by_comparison<To, Widened<Half>>(comparison);
    case Type::kBF16:
      return by_comparison<To, Widened<BFloat>>(comparison);
    default:
      return nullptr;
  }
}

// `lo`, `ls`, `hi`, `hs` are the same as these of unsigned numbers.
Comparison take_unsigned(Form& form) {
  return form.take_one_of<Comparison>({{"lo", kLt}, {"ls", kLe}, {"hi", kGt}, {"hs", kGe}},
                                      kUnknown);
}

Comparison take_comparison(Form& form) {
  return form.take_one_of<Comparison>({{"eq", kEq},
                                       {"ne", kNe},
                                       {"lt", kLt},
                                       {"le", kLe},
                                       {"gt", kGt},
                                       {"ge", kGe},
                                       {"equ", kEqu},
                                       {"neu", kNeu},
                                       {"ltu", kLtu},
                                       {"leu", kLeu},
                                       {"gtu", kGtu},
                                       {"geu", kGeu},
                                       {"num", kNum},
                                       {"nan", kNan}},
                                      kUnknown);
}

// Bits are equal or not, and only floats are unordered.
bool has(Type type, Comparison comparison) {
  if (is_floating(type)) return true;
  const bool is_number =
      is_signed(type) || type == Type::kU16 || type == Type::kU32 || type == Type::kU64;
  return is_number ? comparison <= kGe : comparison <= kNe;
}

void select(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const a = warp.read(instruction.from[0]);
  const uint64_t* const b = warp.read(instruction.from[1]);
  const uint64_t* const c = warp.read(instruction.from[2]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [=](int lane) { to[lane] = (c[lane] & 1) != 0 ? a[lane] : b[lane]; });
}

// By the sign of c: a where it is not negative; −0 is not, NaN is.
template <typename Number>
void select_by_sign(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const a = warp.read(instruction.from[0]);
  const uint64_t* const b = warp.read(instruction.from[1]);
  const uint64_t* const c = warp.read(instruction.from[2]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [=](int lane) { to[lane] = Number::of(c[lane]) >= 0 ? a[lane] : b[lane]; });
}

enum Property { kFinite, kInfinite, kNumber, kNotANumber, kNormal, kSubnormal };

template <typename T>
void test(Warp& warp, const Instruction& instruction, uint32_t mask) {
  for_lanes(mask, [&](int lane) {
    const T value = get<T>(warp.read(instruction.from[0])[lane]);
    const bool results[] = {std::isfinite(value), std::isinf(value),
                            !std::isnan(value),   std::isnan(value),
                            std::isnormal(value), std::fpclassify(value) == FP_SUBNORMAL};
    warp.write(instruction.to[0])[lane] = results[instruction.choice] ? 1 : 0;
  });
}

Execute test_of(Form& form, Instruction& instruction) {
  instruction.choice = form.take_one_of<int>({{"finite", kFinite},
                                              {"infinite", kInfinite},
                                              {"number", kNumber},
                                              {"notanumber", kNotANumber},
                                              {"normal", kNormal},
                                              {"subnormal", kSubnormal}},
                                             -1);
  if (instruction.choice < 0) return nullptr;
  if (form.take("f32")) return test<float>;
  return form.take("f64") ? test<double> : nullptr;
}

Execute comparison_of(Form& form, Instruction& instruction) {
  const Comparison of_unsigned = take_unsigned(form);
  const Comparison comparison = of_unsigned == kUnknown ? take_comparison(form) : of_unsigned;
  const bool to_predicate = form.is("setp");
  const Join join = form.take_one_of<Join>(
      {{"and", Join::kAnd}, {"or", Join::kOr}, {"xor", Join::kXor}}, Join::kNone);
  instruction.choice = static_cast<int>(join);
  if (instruction.from.size() != (join == Join::kNone ? 2u : 3u)) return nullptr;
  if (!to_predicate) instruction.type = form.take_type();
  const Type type = form.take_type();
  const bool is_unsigned = !is_signed(type) && !is_floating(type);
  if (!has(type, comparison) || (of_unsigned != kUnknown && !is_unsigned)) return nullptr;
  if (to_predicate) return by_type<ToPredicate>(form, type, comparison);
  if (join != Join::kNone) return nullptr;
  const bool is_known = instruction.type == Type::kU32 || instruction.type == Type::kS32 ||
                        instruction.type == Type::kF32;
  return is_known ? by_type<ToNumber>(form, type, comparison) : nullptr;
}

}  // namespace

Execute of_comparisons(Form& form, Instruction& instruction) {
  if (form.is("setp") || form.is("set")) return comparison_of(form, instruction);
  if (form.is("testp")) return test_of(form, instruction);
  if (form.is("selp")) {
    const Type type = form.take_type();
    return type == Type::kNone || type == Type::kPred ? nullptr : select;
  }
  if (form.is("slct")) {
    const bool flush = form.take("ftz");
    if (form.take_type() == Type::kNone) return nullptr;
    const Type by = form.take_type();
    if (by == Type::kF32) return flush ? select_by_sign<Flushed> : select_by_sign<Plain<float>>;
    return by == Type::kS32 && !flush ? select_by_sign<Plain<int32_t>> : nullptr;
  }
  return nullptr;
}

}  // namespace virtual_gpu
