// Arithmetic of float32 and float64.

#include <cmath>

#include "instructions/apply.h"
#include "instructions/families.h"
#include "instructions/float_functions.h"
#include "instructions/rounding.h"

namespace virtual_gpu {
namespace {

// Each is a type of its own, as a template's argument must be.
using Add = decltype([](auto a, auto b) { return a + b; });
using Sub = decltype([](auto a, auto b) { return a - b; });
using Mul = decltype([](auto a, auto b) { return a * b; });
using Div = decltype([](auto a, auto b) { return a / b; });
using Fma = decltype([](auto a, auto b, auto c) { return std::fma(a, b, c); });
using Min = decltype([](auto a, auto b) { return smaller(a, b); });
using Max = decltype([](auto a, auto b) { return larger(a, b); });
using MinOrNan = decltype([](auto a, auto b) { return smaller_or_nan(a, b); });
using MaxOrNan = decltype([](auto a, auto b) { return larger_or_nan(a, b); });
// PTX has the number with the sign first.
using CopySign = decltype([](auto a, auto b) { return std::copysign(b, a); });
using Neg = decltype([](auto a) { return -a; });
using Abs = decltype([](auto a) { return std::fabs(a); });
using Sqrt = decltype([](auto a) { return std::sqrt(a); });
using Rcp = decltype([](auto a) { return 1 / a; });
using Rsqrt = decltype([](auto a) { return 1 / std::sqrt(a); });
using Ex2 = decltype([](auto a) { return std::exp2(a); });
using Lg2 = decltype([](auto a) { return std::log2(a); });
using Sin = decltype([](auto a) { return std::sin(a); });
using Cos = decltype([](auto a) { return std::cos(a); });
using Tanh = decltype([](auto a) { return std::tanh(a); });

template <typename Function, bool kFlush, bool kSaturate>
struct Modified {
  static float flush(float x) { return kFlush ? flushed(x) : x; }
  static double flush(double x) { return x; }

  template <typename T>
  static T finish(T x) {
    return kSaturate ? saturated(flush(x)) : flush(x);
  }

  template <typename T>
    requires requires(Function f, T x) { f(x); }
  T operator()(T a) const {
    return finish(Function()(flush(a)));
  }
  template <typename T>
    requires requires(Function f, T x) { f(x, x); }
  T operator()(T a, T b) const {
    return finish(Function()(flush(a), flush(b)));
  }
  template <typename T>
    requires requires(Function f, T x) { f(x, x, x); }
  T operator()(T a, T b, T c) const {
    return finish(Function()(flush(a), flush(b), flush(c)));
  }
};

template <typename T, typename Function>
constexpr Execute kExecute = apply<T, Function{}>();

// The registers are memory: what is read after the first call and written before the second is
// computed between them.
template <typename T, typename Function>
void rounded(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const Rounding rounding(instruction.choice);
  kExecute<T, Function>(warp, instruction, mask);
}

template <typename T, typename Function>
Execute with(Form& form, Instruction& instruction) {
  instruction.choice = take_rounding(form);
  const bool flush = std::is_same_v<T, float> && form.take("ftz");
  const bool saturate = form.take("sat");
  if (instruction.choice != FE_TONEAREST) {
    return flush || saturate ? nullptr : rounded<T, Function>;
  }
  if (flush) {
    return saturate ? kExecute<T, Modified<Function, true, true>>
                    : kExecute<T, Modified<Function, true, false>>;
  }
  return saturate ? kExecute<T, Modified<Function, false, true>> : kExecute<T, Function>;
}

// What PTX calls approximate is the host's function.
template <typename T>
Execute function_of(Form& form, Instruction& instruction) {
  if (form.is("add")) return with<T, Add>(form, instruction);
  if (form.is("sub")) return with<T, Sub>(form, instruction);
  if (form.is("mul")) return with<T, Mul>(form, instruction);
  if (form.is("fma") || form.is("mad")) return with<T, Fma>(form, instruction);
  if (form.is("neg")) return with<T, Neg>(form, instruction);
  if (form.is("abs")) return with<T, Abs>(form, instruction);
  if (form.is("copysign")) return kExecute<T, CopySign>;
  if (form.is("min") || form.is("max")) {
    const bool nan = form.take("NaN");
    if (form.is("min")) {
      return nan ? with<T, MinOrNan>(form, instruction) : with<T, Min>(form, instruction);
    }
    return nan ? with<T, MaxOrNan>(form, instruction) : with<T, Max>(form, instruction);
  }
  form.take("approx");
  if (form.is("sqrt")) return with<T, Sqrt>(form, instruction);
  if (form.is("rsqrt")) return with<T, Rsqrt>(form, instruction);
  if (form.is("rcp")) return with<T, Rcp>(form, instruction);
  if (form.is("div")) {
    form.take("full");
    return with<T, Div>(form, instruction);
  }
  if (!std::is_same_v<T, float>) return nullptr;
  if (form.is("ex2")) return with<T, Ex2>(form, instruction);
  if (form.is("lg2")) return with<T, Lg2>(form, instruction);
  if (form.is("sin")) return with<T, Sin>(form, instruction);
  if (form.is("cos")) return with<T, Cos>(form, instruction);
  return form.is("tanh") ? with<T, Tanh>(form, instruction) : nullptr;
}

bool is_known(const Form& form) {
  for (const char* const opcode :
       {"add", "sub", "mul", "fma", "mad", "neg", "abs", "copysign", "min", "max", "sqrt", "rsqrt",
        "rcp", "div", "ex2", "lg2", "sin", "cos", "tanh"}) {
    if (form.is(opcode)) return true;
  }
  return false;
}

}  // namespace

Execute of_floats(Form& form, Instruction& instruction) {
  const std::string& text = form.text();
  const std::string type = text.substr(text.rfind('.') + 1);
  if (!is_known(form) || (type != "f32" && type != "f64")) return nullptr;
  form.take_type();
  return type == "f32" ? function_of<float>(form, instruction)
                       : function_of<double>(form, instruction);
}

}  // namespace virtual_gpu
