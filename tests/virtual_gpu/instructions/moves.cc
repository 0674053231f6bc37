// mov, whole and in parts; addresses from one space to another.

#include "instructions/apply.h"
#include "instructions/families.h"
#include "instructions/parts.h"
#include "machine/windows.h"

namespace virtual_gpu {
namespace {

void move(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const from = warp.read(instruction.from[0]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [=](int lane) { to[lane] = from[lane]; });
}

uint64_t low_bits(int count) { return (uint64_t{1} << count) - 1; }

// {a, b} to one, the first in the low bits.
void pack(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const int bits = instruction.choice;
  for_lanes(mask, [&](int lane) {
    uint64_t whole = 0;
    for (size_t i = 0; i < instruction.from.size(); ++i) {
      const uint64_t part = warp.read(instruction.from[i])[lane] & low_bits(bits);
      whole |= part << (static_cast<int>(i) * bits);
    }
    warp.write(instruction.to[0])[lane] = whole;
  });
}

void unpack(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const int bits = instruction.choice;
  for_lanes(mask, [&](int lane) {
    const uint64_t whole = warp.read(instruction.from[0])[lane];
    for (size_t i = 0; i < instruction.to.size(); ++i) {
      warp.write(instruction.to[i])[lane] = whole >> (static_cast<int>(i) * bits) & low_bits(bits);
    }
  });
}

void to_generic(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const from = warp.read(instruction.from[0]);
  uint64_t* const to = warp.write(instruction.to[0]);
  const uint64_t window = window_of(instruction.space);
  for_lanes(mask, [=](int lane) { to[lane] = from[lane] + window; });
}

void from_generic(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const from = warp.read(instruction.from[0]);
  uint64_t* const to = warp.write(instruction.to[0]);
  const uint64_t window = window_of(instruction.space);
  for_lanes(mask, [=](int lane) { to[lane] = from[lane] - window; });
}

void is_space(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const from = warp.read(instruction.from[0]);
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [&](int lane) {
    to[lane] = space_of_generic(from[lane]) == instruction.space ? 1 : 0;
  });
}

// Which of them an address is in can be asked of these.
bool has_window(Space space) {
  return space == Space::kGlobal || space == Space::kShared || space == Space::kLocal;
}

Execute move_of(Form& form, Instruction& instruction) {
  const Type type = form.take_type();
  if (type == Type::kNone || type == Type::kB128) return nullptr;
  if (instruction.to.size() == 1 && instruction.from.size() == 1) return move;
  const size_t parts = instruction.to.size() * instruction.from.size();
  if (type == Type::kPred || (parts != 2 && parts != 4)) return nullptr;
  instruction.choice = 8 * bytes_of(type) / static_cast<int>(parts);
  if (instruction.to.size() == 1) return pack;
  return instruction.from.size() == 1 ? unpack : nullptr;
}

}  // namespace

Execute of_moves(Form& form, Instruction& instruction) {
  if (form.is("mov")) return move_of(form, instruction);
  if (form.is("cvta")) {
    const bool to = form.take("to");
    instruction.space = take_space(form);
    // What is constant lies in global memory.
    const bool is_known = has_window(instruction.space) || instruction.space == Space::kConstant;
    if (!form.take("u64") || !is_known) return nullptr;
    return to ? from_generic : to_generic;
  }
  if (form.is("isspacep")) {
    instruction.space = take_space(form);
    return has_window(instruction.space) ? is_space : nullptr;
  }
  return nullptr;
}

}  // namespace virtual_gpu
