// Where a warp goes on: bra, brx, ret, exit, trap, griddepcontrol, and the barrier of a block.

#include "instructions/families.h"
#include "machine/fault.h"
#include "machine/warp.h"

namespace virtual_gpu {
namespace {

// What the machine does by itself, by the instruction's `control`.
void by_machine(Warp&, const Instruction&, uint32_t) {}

// The machine has one barrier, and it is of all threads.
void arrive(Warp& warp, const Instruction& instruction, uint32_t mask) {
  if (warp.read(instruction.from[0])[__builtin_ctz(mask)] == 0) return;
  throw Fault{Fault::kIllegalInstruction, "a barrier other than the first is not known",
              __builtin_ctz(mask)};
}

// One with a number of threads is not known.
bool is_barrier_of_all(Form& form, const Instruction& instruction) {
  form.take("cta");
  if (!form.take("sync")) return false;
  form.take("aligned");
  return instruction.from.size() == 1;
}

}  // namespace

Execute of_control(Form& form, Instruction& instruction) {
  if (form.is("bra") || form.is("brx")) {
    const bool by_table = form.is("brx");
    if (by_table && !form.take("idx")) return nullptr;
    form.take("uni");
    instruction.control = by_table ? Control::kBranchTable : Control::kBranch;
    return by_machine;
  }
  if (form.is("ret") || form.is("exit")) {
    form.take("uni");
    instruction.control = Control::kExit;
    return by_machine;
  }
  if (form.is("trap")) {
    instruction.control = Control::kTrap;
    return by_machine;
  }
  if (form.is("griddepcontrol")) {
    // A kernel here begins when the one before it in its stream has ended.
    const bool waits = form.take("wait");
    return waits || form.take("launch_dependents") ? by_machine : nullptr;
  }
  if (form.is("bar") || form.is("barrier")) {
    if (!is_barrier_of_all(form, instruction)) return nullptr;
    instruction.control = Control::kBarrier;
    return arrive;
  }
  return nullptr;
}

}  // namespace virtual_gpu
