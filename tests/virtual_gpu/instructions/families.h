#pragma once

// What each family of instructions makes of a form. A family that does not know the opcode gives
// nullptr and takes nothing; otherwise it takes the parts that it knows, sets what it needs of the
// instruction (type, control, choice, ...), whose operands are there already, and gives what
// executes it. An opcode of its own in a form that it does not know is nullptr as well.

#include "program/form.h"
#include "program/instruction.h"

namespace virtual_gpu {

Execute of_integers(Form& form, Instruction& instruction);     // add mul mad div min abs addc ...
Execute of_floats(Form& form, Instruction& instruction);       // add fma sqrt ex2 copysign ...
Execute of_halves(Form& form, Instruction& instruction);       // the same of f16, bf16, and pairs
Execute of_bits(Form& form, Instruction& instruction);         // and shl popc bfe prmt lop3 ...
Execute of_comparisons(Form& form, Instruction& instruction);  // setp set selp slct testp
Execute of_conversions(Form& form, Instruction& instruction);  // cvt
Execute of_moves(Form& form, Instruction& instruction);        // mov, also of parts; cvta isspacep
Execute of_memory(Form& form, Instruction& instruction);       // ld st prefetch
Execute of_atomics(Form& form, Instruction& instruction);      // atom red membar fence
Execute of_exchanges(Form& form, Instruction& instruction);    // shfl vote match redux bar.warp
Execute of_control(Form& form, Instruction& instruction);      // bra brx ret exit bar trap

}  // namespace virtual_gpu
