// Arithmetic of integers.

#include <algorithm>
#include <type_traits>

#include "instructions/apply.h"
#include "instructions/families.h"

namespace virtual_gpu {
namespace {

template <typename T>
using Unsigned = std::make_unsigned_t<T>;

// Twice as wide.
template <typename T>
using Wide = std::conditional_t<
    sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
    std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
                       std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;

// Wraps around, as PTX does and C++'s signed numbers must not.
template <typename T>
constexpr auto kAdd = [](T a, T b) { return static_cast<T>(uint64_t(a) + uint64_t(b)); };
template <typename T>
constexpr auto kSub = [](T a, T b) { return static_cast<T>(uint64_t(a) - uint64_t(b)); };
template <typename T>
constexpr auto kMulLow = [](T a, T b) { return static_cast<T>(uint64_t(a) * uint64_t(b)); };
template <typename T>
constexpr auto kMulHigh =
    [](T a, T b) { return static_cast<T>(Wide<T>(a) * Wide<T>(b) >> (8 * sizeof(T))); };
template <typename T>
constexpr auto kMulWide = [](T a, T b) { return static_cast<Wide<T>>(Wide<T>(a) * Wide<T>(b)); };
template <typename T>
constexpr auto kMadLow = [](T a, T b, T c) { return kAdd<T>(kMulLow<T>(a, b), c); };
template <typename T>
constexpr auto kMadHigh = [](T a, T b, T c) { return kAdd<T>(kMulHigh<T>(a, b), c); };

// By 0 it is what hardware gives: PTX says that it is anything.
template <typename T>
constexpr auto kDiv = [](T a, T b) {
  if (b == 0) return static_cast<T>(~T{0});
  if (std::is_signed_v<T> && b == static_cast<T>(-1)) return kSub<T>(0, a);
  return static_cast<T>(a / b);
};
template <typename T>
constexpr auto kRem = [](T a, T b) {
  if (b == 0) return a;
  if (std::is_signed_v<T> && b == static_cast<T>(-1)) return T{0};
  return static_cast<T>(a % b);
};
template <typename T>
constexpr auto kMin = [](T a, T b) { return std::min(a, b); };
template <typename T>
constexpr auto kMax = [](T a, T b) { return std::max(a, b); };
template <typename T>
constexpr auto kAbs = [](T a) { return a < 0 ? kSub<T>(0, a) : a; };
template <typename T>
constexpr auto kNeg = [](T a) { return kSub<T>(0, a); };
template <typename T>
constexpr auto kSad =
    [](T a, T b, T c) { return kAdd<T>(c, a < b ? kSub<T>(b, a) : kSub<T>(a, b)); };
// The low 24 bits of each.
template <typename T>
constexpr auto kLow24 =
    [](T a) { return static_cast<T>(static_cast<T>(static_cast<Unsigned<T>>(a) << 8) >> 8); };
template <typename T>
constexpr auto kMul24 = [](T a, T b) { return kMulLow<T>(kLow24<T>(a), kLow24<T>(b)); };
template <typename T>
constexpr auto kMad24 = [](T a, T b, T c) { return kAdd<T>(kMul24<T>(a, b), c); };
template <typename T>
constexpr auto kAddSaturated = [](T a, T b) {
  const int64_t sum = int64_t{a} + int64_t{b};
  return static_cast<T>(std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX));
};
template <typename T>
constexpr auto kSubSaturated = [](T a, T b) {
  const int64_t difference = int64_t{a} - int64_t{b};
  return static_cast<T>(std::clamp<int64_t>(difference, INT32_MIN, INT32_MAX));
};

template <typename T>
void mad_wide(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const a = warp.read(instruction.from[0]);
  const uint64_t* const b = warp.read(instruction.from[1]);
  const uint64_t* const c = warp.read(instruction.from[2]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [=](int lane) {
    const Wide<T> product = kMulWide<T>(get<T>(a[lane]), get<T>(b[lane]));
    to[lane] = put(kAdd<Wide<T>>(product, get<Wide<T>>(c[lane])));
  });
}

// add.cc, addc, sub.cc, subc, mad.cc, madc: sums that are continued in another word.
struct Chain {
  static constexpr int kMinus = 1, kProduct = 2, kHigh = 4, kReads = 8, kWrites = 16;
};

template <typename T>
void chain(Warp& warp, const Instruction& instruction, uint32_t mask) {
  using Sum = unsigned __int128;
  const int how = instruction.choice;
  const auto operand = [&](size_t index, int lane) {
    return get<T>(warp.read(instruction.from[index])[lane]);
  };
  for_lanes(mask, [&](int lane) {
    T a = operand(0, lane), b = operand(1, lane);
    if ((how & Chain::kProduct) != 0) {
      a = (how & Chain::kHigh) != 0 ? kMulHigh<T>(a, b) : kMulLow<T>(a, b);
      b = operand(2, lane);
    }
    uint8_t& carry = warp.carry[static_cast<size_t>(lane)];
    const Sum before = (how & Chain::kReads) != 0 ? carry : 0;
    const Sum first = static_cast<Unsigned<T>>(a), second = static_cast<Unsigned<T>>(b);
    const Sum sum = (how & Chain::kMinus) != 0 ? first - second - before : first + second + before;
    warp.write(instruction.to[0])[lane] = put(static_cast<T>(sum));
    if ((how & Chain::kWrites) != 0) carry = (sum >> (8 * sizeof(T)) & 1) != 0;
  });
}

template <template <typename> typename Give>
Execute by_type(Type type) {
  switch (type) {
    case Type::kU16:
      return Give<uint16_t>()();
    case Type::kS16:
      return Give<int16_t>()();
    case Type::kU32:
      return Give<uint32_t>()();
    case Type::kS32:
      return Give<int32_t>()();
    case Type::kU64:
      return Give<uint64_t>()();
    case Type::kS64:
      return Give<int64_t>()();
    default:
      return nullptr;
  }
}

// What each of these is for a type.
#define TAILOPS_FOR_TYPE(name, function)            \
  template <typename T>                             \
  struct name {                                     \
    Execute operator()() const { return function; } \
  }
TAILOPS_FOR_TYPE(Add, (apply<T, kAdd<T>>()));
TAILOPS_FOR_TYPE(Sub, (apply<T, kSub<T>>()));
TAILOPS_FOR_TYPE(MulLow, (apply<T, kMulLow<T>>()));
TAILOPS_FOR_TYPE(MulHigh, (apply<T, kMulHigh<T>>()));
TAILOPS_FOR_TYPE(MadLow, (apply<T, kMadLow<T>>()));
TAILOPS_FOR_TYPE(MadHigh, (apply<T, kMadHigh<T>>()));
TAILOPS_FOR_TYPE(Div, (apply<T, kDiv<T>>()));
TAILOPS_FOR_TYPE(Rem, (apply<T, kRem<T>>()));
TAILOPS_FOR_TYPE(Min, (apply<T, kMin<T>>()));
TAILOPS_FOR_TYPE(Max, (apply<T, kMax<T>>()));
TAILOPS_FOR_TYPE(Abs, (apply<T, kAbs<T>>()));
TAILOPS_FOR_TYPE(Neg, (apply<T, kNeg<T>>()));
TAILOPS_FOR_TYPE(Sad, (apply<T, kSad<T>>()));
TAILOPS_FOR_TYPE(InChain, chain<T>);
#undef TAILOPS_FOR_TYPE

template <typename T>
Execute wide_of(bool adds) {
  return adds ? mad_wide<T> : apply<T, kMulWide<T>>();
}

Execute wide(Type type, bool adds) {
  switch (type) {
    case Type::kU16:
      return wide_of<uint16_t>(adds);
    case Type::kS16:
      return wide_of<int16_t>(adds);
    case Type::kU32:
      return wide_of<uint32_t>(adds);
    case Type::kS32:
      return wide_of<int32_t>(adds);
    default:
      return nullptr;
  }
}

// The type of the form, if it is one of integers; nothing is taken otherwise.
Type integer_type(const Form& form) {
  const std::string& text = form.text();
  const Type type = type_of(text.substr(text.rfind('.') + 1));
  const bool is_integer =
      is_signed(type) || type == Type::kU16 || type == Type::kU32 || type == Type::kU64;
  return is_integer ? type : Type::kNone;
}

Execute chain_of(Form& form, Instruction& instruction, Type type) {
  int how = 0;
  if (form.is("sub") || form.is("subc")) how |= Chain::kMinus;
  if (form.is("addc") || form.is("subc") || form.is("madc")) how |= Chain::kReads;
  if (form.take("cc")) how |= Chain::kWrites;
  if (form.is("mad") || form.is("madc")) {
    how |= Chain::kProduct;
    if (form.take("hi")) {
      how |= Chain::kHigh;
    } else if (!form.take("lo")) {
      return nullptr;
    }
  }
  instruction.choice = how;
  return by_type<InChain>(type);
}

Execute product_of(Form& form, Type type, bool adds) {
  if (form.take("wide")) return wide(type, adds);
  if (form.take("hi")) return adds ? by_type<MadHigh>(type) : by_type<MulHigh>(type);
  if (form.take("lo")) return adds ? by_type<MadLow>(type) : by_type<MulLow>(type);
  return nullptr;
}

Execute product24_of(Form& form, Type type, bool adds) {
  if (!form.take("lo")) return nullptr;
  if (type == Type::kU32) {
    return adds ? apply<uint32_t, kMad24<uint32_t>>() : apply<uint32_t, kMul24<uint32_t>>();
  }
  if (type != Type::kS32) return nullptr;
  return adds ? apply<int32_t, kMad24<int32_t>>() : apply<int32_t, kMul24<int32_t>>();
}

bool is_chained(const Form& form) {
  return form.is("addc") || form.is("subc") || form.is("madc") ||
         form.text().find(".cc.") != std::string::npos;
}

}  // namespace

Execute of_integers(Form& form, Instruction& instruction) {
  const Type type = integer_type(form);
  const char* const known[] = {"add", "sub", "mul", "mad",  "div",  "rem",  "min",   "max",
                               "abs", "neg", "sad", "addc", "subc", "madc", "mul24", "mad24"};
  const bool is_known = std::any_of(std::begin(known), std::end(known),
                                    [&](const char* opcode) { return form.is(opcode); });
  if (type == Type::kNone || !is_known) return nullptr;
  form.take_type();
  if (is_chained(form)) return chain_of(form, instruction, type);
  if (form.is("mul") || form.is("mad")) return product_of(form, type, form.is("mad"));
  if (form.is("mul24") || form.is("mad24")) return product24_of(form, type, form.is("mad24"));
  if (form.is("add")) {
    if (type == Type::kS32 && form.take("sat")) return apply<int32_t, kAddSaturated<int32_t>>();
    return by_type<Add>(type);
  }
  if (form.is("sub")) {
    if (type == Type::kS32 && form.take("sat")) return apply<int32_t, kSubSaturated<int32_t>>();
    return by_type<Sub>(type);
  }
  if (form.is("div")) return by_type<Div>(type);
  if (form.is("rem")) return by_type<Rem>(type);
  if (form.is("min")) return by_type<Min>(type);
  if (form.is("max")) return by_type<Max>(type);
  if (form.is("sad")) return by_type<Sad>(type);
  if (!is_signed(type)) return nullptr;
  return form.is("abs") ? by_type<Abs>(type) : by_type<Neg>(type);
}

}  // namespace virtual_gpu
