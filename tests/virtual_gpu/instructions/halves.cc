// Arithmetic of float16 and bfloat16, and of pairs of them: computed in float64, rounded once.

#include "instructions/halves.h"

#include <limits>
#include <type_traits>

#include "instructions/apply.h"
#include "instructions/families.h"
#include "instructions/float_functions.h"

namespace virtual_gpu {
namespace {

using Function = double (*)(double a, double b, double c);

// A float64 has more than twice the digits, and two more: rounding its sum, product or quotient
// again is as if it had been rounded once.
double add(double a, double b, double) { return a + b; }
double sub(double a, double b, double) { return a - b; }
double mul(double a, double b, double) { return a * b; }

// A product has all its digits, and its sum with c may have more than there are: to odd, so that
// what is cut off still decides the next rounding.
double fma3(double a, double b, double c) {
  const double product = a * b, sum = product + c;
  if (!std::isfinite(sum)) return sum;
  const double of_c = sum - product;
  const double left = (product - (sum - of_c)) + (c - of_c);
  auto bits = std::bit_cast<uint64_t>(sum);
  if (left == 0 || (bits & 1) != 0) return sum;
  bits += (left > 0) == (sum > 0) ? 1 : -1;
  return std::bit_cast<double>(bits);
}
double fma_relu(double a, double b, double c) { return larger_or_nan(fma3(a, b, c), 0.0); }
double minimum(double a, double b, double) { return smaller(a, b); }
double maximum(double a, double b, double) { return larger(a, b); }
double minimum_or_nan(double a, double b, double) { return smaller_or_nan(a, b); }
double maximum_or_nan(double a, double b, double) { return larger_or_nan(a, b); }
double power_of_two(double a, double, double) { return std::exp2(a); }
// Of bfloat16: what is subnormal there is subnormal in float32 too.
double flushed_power_of_two(double a, double, double) {
  const double power = std::exp2(static_cast<double>(flushed(static_cast<float>(a))));
  return std::fabs(power) < static_cast<double>(std::numeric_limits<float>::min()) ? 0 : power;
}
double tangent(double a, double, double) { return std::tanh(a); }

template <typename Number, int kCount, Function kFunction>
void compute(Warp& warp, const Instruction& instruction, uint32_t mask) {
  for_lanes(mask, [&](int lane) {
    uint64_t operands[3] = {};
    for (size_t i = 0; i < instruction.from.size(); ++i) {
      operands[i] = warp.read(instruction.from[i])[lane];
    }
    uint64_t result = 0;
    for (int part = 0; part < kCount; ++part) {
      const auto number = [&](int i) {
        return Number::widen(static_cast<uint16_t>(operands[i] >> 16 * part));
      };
      const uint64_t bits = Number::narrow(kFunction(number(0), number(1), number(2)));
      result |= bits << 16 * part;
    }
    warp.write(instruction.to[0])[lane] = result;
  });
}

// The sign alone changes, of NaN too.
template <int kCount, bool kNegates>
void change_sign(Warp& warp, const Instruction& instruction, uint32_t mask) {
  constexpr uint64_t kSigns = kCount == 2 ? 0x80008000 : 0x8000;
  const uint64_t* const from = warp.read(instruction.from[0]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask,
            [=](int lane) { to[lane] = kNegates ? from[lane] ^ kSigns : from[lane] & ~kSigns; });
}

template <typename Number, int kCount>
Execute function_of(Form& form) {
  if (form.is("neg")) return change_sign<kCount, true>;
  if (form.is("abs")) return change_sign<kCount, false>;
  if (form.is("ex2") || form.is("tanh")) {
    form.take("approx");
    if (form.is("tanh")) return compute<Number, kCount, tangent>;
    if constexpr (std::is_same_v<Number, Half>) return compute<Number, kCount, power_of_two>;
    return form.take("ftz") ? compute<Number, kCount, flushed_power_of_two> : nullptr;
  }
  form.take("rn");
  if (form.is("add")) return compute<Number, kCount, add>;
  if (form.is("sub")) return compute<Number, kCount, sub>;
  if (form.is("mul")) return compute<Number, kCount, mul>;
  if (form.is("fma")) {
    return form.take("relu") ? compute<Number, kCount, fma_relu> : compute<Number, kCount, fma3>;
  }
  const bool nan = form.take("NaN");
  if (form.is("min")) {
    return nan ? compute<Number, kCount, minimum_or_nan> : compute<Number, kCount, minimum>;
  }
  return nan ? compute<Number, kCount, maximum_or_nan> : compute<Number, kCount, maximum>;
}

}  // namespace

Execute of_halves(Form& form, Instruction&) {
  bool is_known = false;
  for (const char* const opcode :
       {"add", "sub", "mul", "fma", "neg", "abs", "min", "max", "ex2", "tanh"}) {
    is_known = is_known || form.is(opcode);
  }
  if (!is_known) return nullptr;
  if (form.take("f16")) return function_of<Half, 1>(form);
  if (form.take("bf16")) return function_of<BFloat, 1>(form);
  if (form.take("f16x2")) return function_of<Half, 2>(form);
  return form.take("bf16x2") ? function_of<BFloat, 2>(form) : nullptr;
}

}  // namespace virtual_gpu
