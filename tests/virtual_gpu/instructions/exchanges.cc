// What lanes of a warp do together: shfl, vote, match, redux, bar.warp.sync. The machine waits
// until all that the mask names are there, and executes these for all of them at once.

#include <algorithm>

#include "instructions/families.h"
#include "instructions/lanes.h"
#include "machine/grid.h"

namespace virtual_gpu {
namespace {

enum Shuffle { kUp, kDown, kButterfly, kIndex };
enum Vote { kAll, kAny, kUniform, kBallot };
enum Reduction { kAdd, kMin, kMax, kAnd, kOr, kXor };

// PTX's text of it: the clamp and the segments are one operand.
template <Shuffle kMode>
void shuffle(Warp& warp, const Instruction& instruction, uint32_t mask) {
  uint64_t values[32];
  std::copy_n(warp.read(instruction.from[0]), 32, values);
  uint64_t operands[2][32];
  std::copy_n(warp.read(instruction.from[1]), 32, operands[0]);
  std::copy_n(warp.read(instruction.from[2]), 32, operands[1]);
  for_lanes(mask, [&](int lane) {
    const int b = operands[0][lane] & 31;
    const int clamp = operands[1][lane] & 31, segments = operands[1][lane] >> 8 & 31;
    const int most = (lane & segments) | (clamp & ~segments), least = lane & segments;
    int from = lane;
    bool is_inside = false;
    switch (kMode) {
      case kUp:
        from = lane - b;
        is_inside = from >= most;
        break;
      case kDown:
        from = lane + b;
        is_inside = from <= most;
        break;
      case kButterfly:
        from = lane ^ b;
        is_inside = from <= most;
        break;
      case kIndex:
        from = least | (b & ~segments);
        is_inside = from <= most;
        break;
    }
    if (!is_inside) from = lane;
    if ((mask >> from & 1) == 0) {
      warp.block->grid->complain("a value of a lane that does not take part", warp, lane);
    }
    warp.write(instruction.to[0])[lane] = static_cast<uint32_t>(values[from]);
    if (instruction.second_predicate != Instruction::kNone) {
      warp.write(instruction.second_predicate)[lane] = is_inside ? 1 : 0;
    }
  });
}

template <Vote kVote>
void vote(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const holds = warp.read(instruction.from[0]);
  uint32_t bits = 0;
  for_lanes(mask, [&](int lane) { bits |= static_cast<uint32_t>(holds[lane] & 1) << lane; });
  const uint64_t result = kVote == kBallot ? bits
                          : kVote == kAny  ? bits != 0
                          : kVote == kAll  ? bits == mask
                                           : bits == mask || bits == 0;
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [&](int lane) { to[lane] = result; });
}

template <typename T, bool kOfAll>
void match(Warp& warp, const Instruction& instruction, uint32_t mask) {
  uint64_t values[32];
  std::copy_n(warp.read(instruction.from[0]), 32, values);
  for_lanes(mask, [&](int lane) {
    uint32_t same = 0;
    for_lanes(mask, [&](int other) {
      const bool is_same = get<T>(values[other]) == get<T>(values[lane]);
      same |= static_cast<uint32_t>(is_same) << other;
    });
    if (kOfAll && same != mask) same = 0;
    warp.write(instruction.to[0])[lane] = same;
    if (kOfAll && instruction.second_predicate != Instruction::kNone) {
      warp.write(instruction.second_predicate)[lane] = same == mask ? 1 : 0;
    }
  });
}

template <typename T>
void reduce(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const uint64_t* const values = warp.read(instruction.from[0]);
  T result = get<T>(values[__builtin_ctz(mask)]);
  for_lanes(mask & (mask - 1), [&](int lane) {
    const T value = get<T>(values[lane]);
    switch (instruction.choice) {
      case kAdd:
        result = static_cast<T>(static_cast<uint32_t>(result) + static_cast<uint32_t>(value));
        break;
      case kMin:
        result = std::min(result, value);
        break;
      case kMax:
        result = std::max(result, value);
        break;
      case kAnd:
        result &= value;
        break;
      case kOr:
        result |= value;
        break;
      default:
        result ^= value;
    }
  });
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [&](int lane) { to[lane] = put(result); });
}

void barrier_of_lanes(Warp& warp, const Instruction&, uint32_t mask) {
  const Grid& grid = *warp.block->grid;
  if (grid.watches || grid.settings.weak != 0) order_lanes(warp, mask);
}

void active_mask(Warp& warp, const Instruction& instruction, uint32_t mask) {
  uint64_t* const to = warp.write(instruction.to[0]);
  for_lanes(mask, [&](int lane) { to[lane] = mask; });
}

Execute vote_of(Form& form) {
  if (form.take("ballot")) return form.take("b32") ? vote<kBallot> : nullptr;
  const Execute found = form.take_one_of<Execute>(
      {{"all", vote<kAll>}, {"any", vote<kAny>}, {"uni", vote<kUniform>}}, nullptr);
  return form.take("pred") ? found : nullptr;
}

Execute match_of(Form& form) {
  const bool of_all = form.take("all");
  if (!of_all && !form.take("any")) return nullptr;
  if (form.take("b32")) return of_all ? match<uint32_t, true> : match<uint32_t, false>;
  if (form.take("b64")) return of_all ? match<uint64_t, true> : match<uint64_t, false>;
  return nullptr;
}

Execute reduction_of(Form& form, Instruction& instruction) {
  constexpr int kUnknown = -1;
  instruction.choice = form.take_one_of<int>(
      {{"add", kAdd}, {"min", kMin}, {"max", kMax}, {"and", kAnd}, {"or", kOr}, {"xor", kXor}},
      kUnknown);
  if (instruction.choice == kUnknown) return nullptr;
  const bool of_bits = instruction.choice >= kAnd;
  if (form.take("b32")) return of_bits ? reduce<uint32_t> : nullptr;
  if (of_bits) return nullptr;
  if (form.take("u32")) return reduce<uint32_t>;
  return form.take("s32") ? reduce<int32_t> : nullptr;
}

}  // namespace

Execute of_exchanges(Form& form, Instruction& instruction) {
  if (form.is("activemask")) {
    form.take("b32");
    return active_mask;
  }
  // Without `.sync`, what lanes exchange is not defined since Volta.
  const bool is_barrier = form.is("bar") && form.take("warp");
  const bool is_exchange =
      is_barrier || form.is("shfl") || form.is("vote") || form.is("match") || form.is("redux");
  if (!is_exchange || !form.take("sync")) return nullptr;
  instruction.control = Control::kExchange;
  const size_t operands = is_barrier ? 1 : form.is("shfl") ? 4 : 2;
  if (instruction.from.size() != operands || (instruction.to.size() != 1) != is_barrier) {
    return nullptr;
  }
  if (is_barrier) return barrier_of_lanes;
  if (form.is("vote")) return vote_of(form);
  if (form.is("match")) return match_of(form);
  if (form.is("redux")) return reduction_of(form, instruction);
  const Execute found = form.take_one_of<Execute>({{"up", shuffle<kUp>},
                                                   {"down", shuffle<kDown>},
                                                   {"bfly", shuffle<kButterfly>},
                                                   {"idx", shuffle<kIndex>}},
                                                  nullptr);
  return form.take("b32") ? found : nullptr;
}

}  // namespace virtual_gpu
