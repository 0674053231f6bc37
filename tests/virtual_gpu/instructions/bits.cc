// Bits: logic, shifts, fields, permutations. All of it on what the type has of a lane.

#include <algorithm>
#include <bit>

#include "instructions/apply.h"
#include "instructions/families.h"

namespace virtual_gpu {
namespace {

template <typename T>
constexpr int kBits = 8 * sizeof(T);

template <typename T>
constexpr auto kAnd = [](T a, T b) { return static_cast<T>(a & b); };
template <typename T>
constexpr auto kOr = [](T a, T b) { return static_cast<T>(a | b); };
template <typename T>
constexpr auto kXor = [](T a, T b) { return static_cast<T>(a ^ b); };
template <typename T>
constexpr auto kNot = [](T a) { return static_cast<T>(~a); };
// Of predicates, which are 0 or 1.
template <>
constexpr auto kNot<bool> = [](bool a) { return !a; };
template <typename T>
constexpr auto kCnot = [](T a) { return static_cast<T>(a == 0); };
template <typename T>
constexpr auto kPopc = [](T a) { return static_cast<uint32_t>(std::popcount(a)); };
template <typename T>
constexpr auto kClz = [](T a) { return static_cast<uint32_t>(std::countl_zero(a)); };
template <typename T>
constexpr auto kBrev = [](T a) {
  T reversed = 0;
  for (int i = 0; i < kBits<T>; ++i) reversed = static_cast<T>(reversed << 1 | (a >> i & 1));
  return reversed;
};

// The highest bit that is not the sign; −1 if there is none.
template <typename T>
uint32_t highest_bit(T a) {
  using Bits = std::make_unsigned_t<T>;
  const auto bits = static_cast<Bits>(a < 0 ? ~a : a);
  return static_cast<uint32_t>(kBits<T> - 1 - std::countl_zero(bits));
}
template <typename T>
constexpr auto kBfind = [](T a) { return highest_bit(a); };
template <typename T>
constexpr auto kBfindShift = [](T a) {
  const uint32_t found = highest_bit(a);
  return found == ~0u ? found : static_cast<uint32_t>(kBits<T> - 1) - found;
};

// Shifts have a count of 32 bits, whatever they shift; one that is too large shifts all out.
template <typename T>
constexpr auto kShiftLeft = [](T value, uint32_t count) {
  return count >= kBits<T> ? T{0} : static_cast<T>(uint64_t{value} << count);
};
template <typename T>
constexpr auto kShiftRight = [](T value, uint32_t count) {
  const T none = value < 0 ? static_cast<T>(-1) : T{0};
  return count >= kBits<T> ? none : static_cast<T>(value >> count);
};
template <typename T>
constexpr Execute shift_left = apply2<T, kShiftLeft<T>, uint32_t>;
template <typename T>
constexpr Execute shift_right = apply2<T, kShiftRight<T>, uint32_t>;

template <bool kLeft, bool kWraps>
void funnel(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const low = warp.read(instruction.from[0]);
  const uint64_t* const high = warp.read(instruction.from[1]);
  const uint64_t* const counts = warp.read(instruction.from[2]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [=](int lane) {
    const uint64_t both = uint64_t{get<uint32_t>(high[lane])} << 32 | get<uint32_t>(low[lane]);
    const auto given = get<uint32_t>(counts[lane]);
    const uint32_t count = kWraps ? given & 31 : std::min(given, 32u);
    to[lane] = put(static_cast<uint32_t>(kLeft ? both << count >> 32 : both >> count));
  });
}

// A field beyond the number has copies of the sign: of its own highest bit, or the number's.
template <typename T>
void extract_field(Warp& warp, const Instruction& instruction, uint32_t mask) {
  for_lanes(mask, [&](int lane) {
    const T value = get<T>(warp.read(instruction.from[0])[lane]);
    const int position = warp.read(instruction.from[1])[lane] & 255;
    const int length = warp.read(instruction.from[2])[lane] & 255;
    const auto bit = [&](int i) { return static_cast<uint64_t>(value >> i & 1); };
    const bool is_signed_number = std::is_signed_v<T> && length > 0;
    const uint64_t sign = is_signed_number ? bit(std::min(position + length - 1, kBits<T> - 1)) : 0;
    uint64_t result = 0;
    for (int i = 0; i < kBits<T>; ++i) {
      const bool is_inside = i < length && position + i < kBits<T>;
      result |= (is_inside ? bit(position + i) : sign) << i;
    }
    warp.write(instruction.to[0])[lane] = result;
  });
}

template <typename T>
void insert_field(Warp& warp, const Instruction& instruction, uint32_t mask) {
  for_lanes(mask, [&](int lane) {
    const auto operand = [&](size_t i) { return warp.read(instruction.from[i])[lane]; };
    const T field = get<T>(operand(0));
    T result = get<T>(operand(1));
    const int position = operand(2) & 255, length = operand(3) & 255;
    for (int i = 0; i < length && position + i < kBits<T>; ++i) {
      const T at = T{1} << (position + i);
      result = static_cast<T>((result & ~at) | (static_cast<T>(field >> i & 1) << (position + i)));
    }
    warp.write(instruction.to[0])[lane] = put(result);
  });
}

enum Permutation { kByIndex, kForward4, kBackward4, kReplicate8, kLeft, kRight, kReplicate16 };

// For the modes, which byte of the eight is at which place; their count is in the control's low
// bits. PTX has it as a table.
uint32_t selector_of(Permutation mode, uint32_t control) {
  const uint32_t n = control & 3;
  uint32_t selector = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    uint32_t byte = 0;
    switch (mode) {
      case kForward4:
        byte = n + i;
        break;
      case kBackward4:
        byte = (n + 8 - i) & 7;
        break;
      case kReplicate8:
        byte = n;
        break;
      case kLeft:
        byte = std::max(i, n);
        break;
      case kRight:
        byte = std::min(i, n);
        break;
      case kReplicate16:
        byte = 2 * (control & 1) + (i & 1);
        break;
      case kByIndex:
        return control;
    }
    selector |= byte << 4 * i;
  }
  return selector;
}

void permute(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const auto mode = static_cast<Permutation>(instruction.choice);
  for_lanes(mask, [&](int lane) {
    const auto operand = [&](size_t i) {
      return get<uint32_t>(warp.read(instruction.from[i])[lane]);
    };
    const uint64_t bytes = uint64_t{operand(1)} << 32 | operand(0);
    const uint32_t selector = selector_of(mode, operand(2));
    uint32_t result = 0;
    for (int i = 0; i < 4; ++i) {
      const uint32_t which = selector >> 4 * i & 15;
      uint32_t byte = bytes >> 8 * (which & 7) & 255;
      if ((which & 8) != 0) byte = (byte & 128) != 0 ? 255 : 0;  // its sign, eight times
      result |= byte << 8 * i;
    }
    warp.write(instruction.to[0])[lane] = result;
  });
}

// The bit of the table that the bits of a, b and c are the number of.
void logic3(Warp& warp, const Instruction& instruction, uint32_t mask) {
  for_lanes(mask, [&](int lane) {
    const auto operand = [&](size_t i) {
      return get<uint32_t>(warp.read(instruction.from[i])[lane]);
    };
    const uint32_t a = operand(0), b = operand(1), c = operand(2), table = operand(3);
    uint32_t result = 0;
    for (uint32_t i = 0; i < 8; ++i) {
      if ((table >> i & 1) == 0) continue;
      result |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
    }
    warp.write(instruction.to[0])[lane] = result;
  });
}

// By the width; predicates where they may be.
Execute by_width(Type type, Execute of_16, Execute of_32, Execute of_64,
                 Execute of_predicates = nullptr) {
  switch (type) {
    case Type::kPred:
      return of_predicates;
    case Type::kB16:
      return of_16;
    case Type::kB32:
      return of_32;
    case Type::kB64:
      return of_64;
    default:
      return nullptr;
  }
}

#define TAILOPS_BY_WIDTH(form, kFunction)                                                  \
  by_width((form).take_type(), apply<uint16_t, kFunction<uint16_t>>(),                     \
           apply<uint32_t, kFunction<uint32_t>>(), apply<uint64_t, kFunction<uint64_t>>(), \
           apply<bool, kFunction<bool>>())

Execute shift_of(Form& form) {
  const Type type = form.take_type();
  if (form.is("shl")) {
    return by_width(type, shift_left<uint16_t>, shift_left<uint32_t>, shift_left<uint64_t>);
  }
  switch (type) {
    case Type::kS16:
      return shift_right<int16_t>;
    case Type::kS32:
      return shift_right<int32_t>;
    case Type::kS64:
      return shift_right<int64_t>;
    case Type::kB16:
    case Type::kU16:
      return shift_right<uint16_t>;
    case Type::kB32:
    case Type::kU32:
      return shift_right<uint32_t>;
    case Type::kB64:
    case Type::kU64:
      return shift_right<uint64_t>;
    default:
      return nullptr;
  }
}

Execute by_number(Type type, Execute u32, Execute s32, Execute u64, Execute s64) {
  switch (type) {
    case Type::kU32:
      return u32;
    case Type::kS32:
      return s32;
    case Type::kU64:
      return u64;
    case Type::kS64:
      return s64;
    default:
      return nullptr;
  }
}

Execute bfind_of(Form& form) {
  const bool shift = form.take("shiftamt");
  const Type type = form.take_type();
  if (shift) {
    return by_number(
        type, apply<uint32_t, kBfindShift<uint32_t>>(), apply<int32_t, kBfindShift<int32_t>>(),
        apply<uint64_t, kBfindShift<uint64_t>>(), apply<int64_t, kBfindShift<int64_t>>());
  }
  return by_number(type, apply<uint32_t, kBfind<uint32_t>>(), apply<int32_t, kBfind<int32_t>>(),
                   apply<uint64_t, kBfind<uint64_t>>(), apply<int64_t, kBfind<int64_t>>());
}

Execute funnel_of(Form& form) {
  const bool left = form.take("l");
  if (!left && !form.take("r")) return nullptr;
  const bool wraps = form.take("wrap");
  if ((!wraps && !form.take("clamp")) || !form.take("b32")) return nullptr;
  if (left) return wraps ? funnel<true, true> : funnel<true, false>;
  return wraps ? funnel<false, true> : funnel<false, false>;
}

Execute permutation_of(Form& form, Instruction& instruction) {
  if (!form.take("b32")) return nullptr;
  instruction.choice = form.take_one_of<int>({{"f4e", kForward4},
                                              {"b4e", kBackward4},
                                              {"rc8", kReplicate8},
                                              {"ecl", kLeft},
                                              {"ecr", kRight},
                                              {"rc16", kReplicate16}},
                                             kByIndex);
  return permute;
}

}  // namespace

Execute of_bits(Form& form, Instruction& instruction) {
  if (form.is("and")) return TAILOPS_BY_WIDTH(form, kAnd);
  if (form.is("or")) return TAILOPS_BY_WIDTH(form, kOr);
  if (form.is("xor")) return TAILOPS_BY_WIDTH(form, kXor);
  if (form.is("not")) return TAILOPS_BY_WIDTH(form, kNot);
  if (form.is("cnot")) {
    return by_width(form.take_type(), apply<uint16_t, kCnot<uint16_t>>(),
                    apply<uint32_t, kCnot<uint32_t>>(), apply<uint64_t, kCnot<uint64_t>>());
  }
  if (form.is("shl") || form.is("shr")) return shift_of(form);
  if (form.is("popc")) {
    return by_width(form.take_type(), nullptr, apply<uint32_t, kPopc<uint32_t>>(),
                    apply<uint64_t, kPopc<uint64_t>>());
  }
  if (form.is("clz")) {
    return by_width(form.take_type(), nullptr, apply<uint32_t, kClz<uint32_t>>(),
                    apply<uint64_t, kClz<uint64_t>>());
  }
  if (form.is("brev")) {
    return by_width(form.take_type(), nullptr, apply<uint32_t, kBrev<uint32_t>>(),
                    apply<uint64_t, kBrev<uint64_t>>());
  }
  if (form.is("bfind")) return bfind_of(form);
  if (form.is("bfe")) {
    return by_number(form.take_type(), extract_field<uint32_t>, extract_field<int32_t>,
                     extract_field<uint64_t>, extract_field<int64_t>);
  }
  if (form.is("bfi")) {
    return by_width(form.take_type(), nullptr, insert_field<uint32_t>, insert_field<uint64_t>);
  }
  if (form.is("prmt")) return permutation_of(form, instruction);
  if (form.is("lop3")) return form.take("b32") ? logic3 : nullptr;
  return form.is("shf") ? funnel_of(form) : nullptr;
}

#undef TAILOPS_BY_WIDTH

}  // namespace virtual_gpu
