// atom, red, and fences.

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "instructions/families.h"
#include "instructions/float_functions.h"
#include "instructions/lanes.h"
#include "instructions/parts.h"
#include "machine/access.h"
#include "machine/grid.h"

namespace virtual_gpu {
namespace {

enum Operation { kAdd, kMin, kMax, kExchange, kCompareAndSwap, kAnd, kOr, kXor, kInc, kDec, kNone };

template <typename T>
T result_of(int operation, T old, T value, T other) {
  switch (operation) {
    case kAdd:
      return static_cast<T>(old + value);
    case kMin:
      return value < old ? value : old;
    case kMax:
      return value > old ? value : old;
    case kExchange:
      return value;
    case kCompareAndSwap:
      return old == value ? other : old;
    default:
      break;
  }
  if constexpr (std::is_integral_v<T>) {
    switch (operation) {
      case kAnd:
        return old & value;
      case kOr:
        return old | value;
      case kXor:
        return old ^ value;
      case kInc:
        return old >= value ? 0 : old + 1;
      default:  // kDec
        return old == 0 || old > value ? value : old - 1;
    }
  }
  return old;
}

template <typename T>
void at_location(Warp& warp, const Instruction& instruction, int lane, const Place& place) {
  Grid& grid = *warp.block->grid;
  const bool is_shared = place.space == Space::kShared;
  watch(warp, instruction, lane, place, sizeof(T), Use::kReadsAndWrites);
  T old;
  std::memcpy(&old, place.first, sizeof old);
  const T value = get<T>(warp.read(instruction.from[0])[lane]);
  const T other = instruction.from.size() > 1 ? get<T>(warp.read(instruction.from[1])[lane]) : T{0};
  T result = result_of(instruction.choice, old, value, other);
  if constexpr (std::is_same_v<T, float>) {
    // In global memory, and not in shared memory, a sum flushes what is subnormal.
    if (!is_shared) result = flushed(flushed(old) + flushed(value));
  }
  if (!is_shared && grid.settings.weak != 0) {
    grid.history.write(warp, lane, place.address, sizeof(T), put(result));
  }
  order_by_location(warp, lane, place.address, is_shared, Use::kReadsAndWrites, instruction.order);
  std::memcpy(place.first, &result, sizeof result);
  if (!instruction.to.empty()) warp.write(instruction.to[0])[lane] = put(old);
}

// The lanes one after the other, in any order.
template <typename T>
void atomic(Warp& warp, const Instruction& instruction, uint32_t mask) {
  Grid& grid = *warp.block->grid;
  int order[32];
  int count = 0;
  for (uint32_t left = mask; left != 0; left &= left - 1) order[count++] = __builtin_ctz(left);
  std::shuffle(order, order + count, grid.random);
  uint64_t addresses[32];
  Space space = Space::kGlobal;
  for (int i = 0; i < count; ++i) {
    const Place place = place_of(warp, instruction, order[i], sizeof(T));
    if (place.space != Space::kShared && place.space != Space::kGlobal) {
      throw Fault{Fault::kIllegalAddress, "an atomic on local memory", order[i]};
    }
    addresses[order[i]] = place.address;
    space = place.space;
    at_location<T>(warp, instruction, order[i], place);
  }
  if (grid.settings.count != 0) {
    count_access(warp, instruction, mask, addresses, space, sizeof(T), Use::kReadsAndWrites);
  }
}

void fence(Warp& warp, const Instruction& instruction, uint32_t mask) {
  if (warp.block->grid->watches || warp.block->grid->settings.weak != 0) {
    order_by_fence(warp, mask, instruction.scope);
  }
}

Execute fence_of(Form& form, Instruction& instruction) {
  // A fence between accesses by different proxies is another thing.
  if (form.is("fence")) {
    form.take_one_of<int>({{"sc", 1}, {"acq_rel", 1}}, 0);
    instruction.scope = take_scope(form, Scope::kSystem);
    return fence;
  }
  instruction.scope = take_scope(form, Scope::kSystem);
  return fence;
}

// What PTX has: some are of bits, some of numbers.
Execute of_type(Type type, int operation) {
  const bool counts = operation == kInc || operation == kDec;
  if (counts) return type == Type::kU32 ? atomic<uint32_t> : nullptr;
  const bool of_bits = operation == kExchange || operation == kCompareAndSwap ||
                       operation == kAnd || operation == kOr || operation == kXor;
  if (of_bits) {
    if (type == Type::kB32) return atomic<uint32_t>;
    return type == Type::kB64 ? atomic<uint64_t> : nullptr;
  }
  switch (type) {
    case Type::kU32:
      return atomic<uint32_t>;
    case Type::kS32:
      return atomic<int32_t>;
    case Type::kU64:
      return atomic<uint64_t>;
    case Type::kS64:
      return operation == kAdd ? nullptr : atomic<int64_t>;
    case Type::kF32:
      return operation == kAdd ? atomic<float> : nullptr;
    case Type::kF64:
      return operation == kAdd ? atomic<double> : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

Execute of_atomics(Form& form, Instruction& instruction) {
  if (form.is("fence") || form.is("membar")) return fence_of(form, instruction);
  if (!form.is("atom") && !form.is("red")) return nullptr;
  // Relaxed, where nothing else is said.
  instruction.order = take_order(form, Order::kRelaxed);
  instruction.scope = take_scope(form, Scope::kDevice);
  instruction.space = take_space(form);
  instruction.choice = form.take_one_of<int>({{"add", kAdd},
                                              {"min", kMin},
                                              {"max", kMax},
                                              {"exch", kExchange},
                                              {"cas", kCompareAndSwap},
                                              {"and", kAnd},
                                              {"or", kOr},
                                              {"xor", kXor},
                                              {"inc", kInc},
                                              {"dec", kDec}},
                                             kNone);
  instruction.type = form.take_type();
  const size_t operands = instruction.choice == kCompareAndSwap ? 2 : 1;
  if (instruction.choice == kNone || instruction.from.size() != operands ||
      instruction.base == Instruction::kNone) {
    return nullptr;
  }
  return of_type(instruction.type, instruction.choice);
}

}  // namespace virtual_gpu
