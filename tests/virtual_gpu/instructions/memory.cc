// ld, st, and what is only a hint.

#include <algorithm>

#include "instructions/families.h"
#include "instructions/lanes.h"
#include "instructions/parts.h"
#include "machine/access.h"
#include "machine/grid.h"

namespace virtual_gpu {
namespace {

// The sign of what is loaded reaches as far as the register does.
uint64_t extended(uint64_t value, Type type) {
  if (type == Type::kS8) return static_cast<uint64_t>(int64_t{get<int8_t>(value)});
  if (type == Type::kS16) return static_cast<uint64_t>(int64_t{get<int16_t>(value)});
  if (type == Type::kS32) return static_cast<uint64_t>(int64_t{get<int32_t>(value)});
  return value;
}

Place element_of(Place place, size_t bytes, size_t index) {
  place.address += index * bytes;
  place.first += index * bytes;
  return place;
}

// body(lane, i, place of the i-th element) for all that the lanes access, which is then counted.
template <typename Body>
void for_elements(Warp& warp, const Instruction& instruction, uint32_t mask, Use use, Body body) {
  const auto bytes = static_cast<size_t>(bytes_of(instruction.type));
  const auto count = static_cast<size_t>(instruction.vector);
  uint64_t addresses[32];
  Space space = Space::kGlobal;
  for_lanes(mask, [&](int lane) {
    const Place place = place_of(warp, instruction, lane, bytes * count);
    addresses[lane] = place.address;
    space = place.space;
    for (size_t i = 0; i < count; ++i) body(lane, i, element_of(place, bytes, i));
  });
  if (warp.block->grid->settings.count != 0) {
    count_access(warp, instruction, mask, addresses, space, bytes * count, use);
  }
}

void load(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const auto bytes = static_cast<size_t>(bytes_of(instruction.type));
  const uint64_t of_element = (1u << bytes) - 1;
  for_elements(warp, instruction, mask, Use::kReads, [&](int lane, size_t i, const Place& place) {
    if ((instruction.used_bytes >> (i * bytes) & of_element) == 0) {
      warp.write(instruction.to[i])[lane] = ~uint64_t{0};
      return;
    }
    const uint64_t value = read_element(warp, instruction, lane, place, bytes);
    warp.write(instruction.to[i])[lane] = extended(value, instruction.type);
  });
}

void store(Warp& warp, const Instruction& instruction, uint32_t mask) {
  const auto bytes = static_cast<size_t>(bytes_of(instruction.type));
  for_elements(warp, instruction, mask, Use::kWrites, [&](int lane, size_t i, const Place& place) {
    const uint64_t value = warp.read(instruction.from[i])[lane];
    write_element(warp, instruction, lane, place, bytes, value);
  });
}

void nothing(Warp&, const Instruction&, uint32_t) {}

void take_cache_hints(Form& form) {
  form.take_one_of<int>(
      {{"ca", 1}, {"cg", 1}, {"cs", 1}, {"lu", 1}, {"cv", 1}, {"wb", 1}, {"wt", 1}}, 0);
  form.take_one_of<int>({{"L1::evict_normal", 1},
                         {"L1::evict_unchanged", 1},
                         {"L1::evict_first", 1},
                         {"L1::evict_last", 1},
                         {"L1::no_allocate", 1}},
                        0);
  form.take_one_of<int>({{"L2::64B", 1}, {"L2::128B", 1}, {"L2::256B", 1}}, 0);
}

}  // namespace

Space take_space(Form& form) {
  return form.take_one_of<Space>({{"global", Space::kGlobal},
                                  {"shared", Space::kShared},
                                  {"shared::cta", Space::kShared},
                                  {"local", Space::kLocal},
                                  {"param", Space::kParameters},
                                  {"param::entry", Space::kParameters},
                                  {"const", Space::kConstant}},
                                 Space::kGeneric);
}

Scope take_scope(Form& form, Scope otherwise) {
  return form.take_one_of<Scope>({{"cta", Scope::kBlock},
                                  {"gpu", Scope::kDevice},
                                  {"gl", Scope::kDevice},
                                  {"sys", Scope::kSystem}},
                                 otherwise);
}

Order take_order(Form& form, Order otherwise) {
  return form.take_one_of<Order>({{"weak", Order::kWeak},
                                  {"relaxed", Order::kRelaxed},
                                  {"volatile", Order::kRelaxed},
                                  {"acquire", Order::kAcquire},
                                  {"release", Order::kRelease},
                                  {"acq_rel", Order::kAcquireRelease},
                                  {"nc", Order::kFixed}},
                                 otherwise);
}

Execute of_memory(Form& form, Instruction& instruction) {
  if (form.is("prefetch")) {
    take_space(form);
    form.take_one_of<int>({{"L1", 1}, {"L2", 1}}, 0);
    return nothing;
  }
  if (form.is("nanosleep")) return form.take("u32") ? nothing : nullptr;
  if (!form.is("ld") && !form.is("st") && !form.is("ldu")) return nullptr;
  const auto& registers = form.is("st") ? instruction.from : instruction.to;
  instruction.order = form.is("ldu") ? Order::kFixed : take_order(form, Order::kWeak);
  instruction.scope = take_scope(form, Scope::kSystem);
  instruction.space = take_space(form);
  take_cache_hints(form);
  instruction.vector = form.take_one_of<int>({{"v2", 2}, {"v4", 4}, {"v8", 8}}, 1);
  instruction.type = form.take_type();
  const bool is_whole = registers.size() == static_cast<size_t>(instruction.vector) &&
                        instruction.base != Instruction::kNone && instruction.type > Type::kPred &&
                        instruction.type != Type::kB128;
  const bool orders_by_itself =
      instruction.order == Order::kAcquire || instruction.order == Order::kRelease;
  if (!is_whole || (orders_by_itself && instruction.vector != 1)) return nullptr;
  return form.is("st") ? store : load;
}

}  // namespace virtual_gpu
