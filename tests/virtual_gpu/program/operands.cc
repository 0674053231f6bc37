#include "program/operands.h"

#include <initializer_list>

namespace virtual_gpu {
namespace {

bool is_one_of(const Form& form, std::initializer_list<const char*> opcodes) {
  for (const char* const opcode : opcodes) {
    if (form.is(opcode)) return true;
  }
  return false;
}

// 0 of others.
size_t operands_of(const Form& form) {
  if (is_one_of(form, {"abs", "neg", "not", "cnot", "popc", "clz", "brev", "bfind", "sqrt", "rsqrt",
                       "rcp", "ex2", "lg2", "sin", "cos", "tanh", "testp", "cvta", "isspacep"})) {
    return 1;
  }
  if (is_one_of(form, {"add", "addc", "sub", "subc", "mul", "mul24", "div", "rem", "min", "max",
                       "and", "or", "xor", "shl", "shr", "copysign"})) {
    return 2;
  }
  if (is_one_of(form,
                {"mad", "madc", "mad24", "fma", "sad", "selp", "slct", "shf", "bfe", "prmt"})) {
    return 3;
  }
  return is_one_of(form, {"bfi", "lop3"}) ? 4 : 0;
}

}  // namespace

bool has_its_operands(const Form& form, const Instruction& instruction) {
  const size_t count = operands_of(form);
  return count == 0 || (instruction.from.size() == count && instruction.to.size() == 1 &&
                        instruction.base == Instruction::kNone);
}

}  // namespace virtual_gpu
