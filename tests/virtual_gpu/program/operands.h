#pragma once

#include "program/form.h"
#include "program/instruction.h"

namespace virtual_gpu {

// Whether an instruction that computes has as many operands as its opcode says. Those of memory,
// exchanges and control have more than one number of them: their families look.
bool has_its_operands(const Form& form, const Instruction& instruction);

}  // namespace virtual_gpu
