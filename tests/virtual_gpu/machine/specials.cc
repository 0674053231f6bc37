#include "machine/specials.h"

#include <unordered_map>

#include "machine/grid.h"

namespace virtual_gpu {
namespace {

using Value = uint64_t (*)(const Warp& warp, unsigned lane, unsigned thread);

const Launch& launch_of(const Warp& warp) { return warp.block->grid->launch; }

template <int kDimension>
uint64_t tid(const Warp& warp, unsigned, unsigned thread) {
  const unsigned* const size = launch_of(warp).block;
  if (kDimension == 0) return thread % size[0];
  return kDimension == 1 ? thread / size[0] % size[1] : thread / size[0] / size[1];
}
template <int kDimension>
uint64_t ntid(const Warp& warp, unsigned, unsigned) {
  return launch_of(warp).block[kDimension];
}
template <int kDimension>
uint64_t ctaid(const Warp& warp, unsigned, unsigned) {
  return warp.block->id[kDimension];
}
template <int kDimension>
uint64_t nctaid(const Warp& warp, unsigned, unsigned) {
  return launch_of(warp).grid[kDimension];
}
// A step is taken for a cycle, and for a nanosecond.
uint64_t clock(const Warp& warp, unsigned, unsigned) { return warp.block->grid->steps; }
uint64_t low_clock(const Warp& warp, unsigned, unsigned) {
  return static_cast<uint32_t>(warp.block->grid->steps);
}

const std::unordered_map<std::string, Value>& values() {
  static const std::unordered_map<std::string, Value> all = {
      {"%tid.x", tid<0>},
      {"%tid.y", tid<1>},
      {"%tid.z", tid<2>},
      {"%ntid.x", ntid<0>},
      {"%ntid.y", ntid<1>},
      {"%ntid.z", ntid<2>},
      {"%ctaid.x", ctaid<0>},
      {"%ctaid.y", ctaid<1>},
      {"%ctaid.z", ctaid<2>},
      {"%nctaid.x", nctaid<0>},
      {"%nctaid.y", nctaid<1>},
      {"%nctaid.z", nctaid<2>},
      {"%laneid", [](const Warp&, unsigned lane, unsigned) -> uint64_t { return lane; }},
      {"%warpid",
       [](const Warp& warp, unsigned, unsigned) { return static_cast<uint64_t>(warp.index); }},
      {"%lanemask_eq", [](const Warp&, unsigned lane, unsigned) { return uint64_t{1} << lane; }},
      {"%lanemask_lt",
       [](const Warp&, unsigned lane, unsigned) { return (uint64_t{1} << lane) - 1; }},
      {"%lanemask_le",
       [](const Warp&, unsigned lane, unsigned) { return (uint64_t{2} << lane) - 1; }},
      {"%lanemask_gt", [](const Warp&, unsigned lane,
                          unsigned) { return 0xffffffff & ~((uint64_t{2} << lane) - 1); }},
      {"%lanemask_ge", [](const Warp&, unsigned lane,
                          unsigned) { return 0xffffffff & ~((uint64_t{1} << lane) - 1); }},
      {"%dynamic_smem_size",
       [](const Warp& warp, unsigned, unsigned) -> uint64_t {
         return launch_of(warp).dynamic_bytes;
       }},
      {"%total_smem_size",
       [](const Warp& warp, unsigned, unsigned) -> uint64_t { return warp.block->shared.size(); }},
      {"%nwarpid",
       [](const Warp& warp, unsigned, unsigned) -> uint64_t { return warp.block->warps.size(); }},
      {"%smid",
       [](const Warp& warp, unsigned, unsigned) -> uint64_t {
         return warp.block->number %
                static_cast<uint64_t>(warp.block->grid->settings.multiprocessors);
       }},
      {"%nsmid",
       [](const Warp& warp, unsigned, unsigned) {
         return static_cast<uint64_t>(warp.block->grid->settings.multiprocessors);
       }},
      {"%clock", low_clock},
      {"%clock64", clock},
      {"%globaltimer", clock},
  };
  return all;
}

}  // namespace

bool is_special(const std::string& name) { return values().count(name) != 0; }

uint64_t value_of_special(const std::string& name, const Warp& warp, int lane) {
  return values().at(name)(warp, static_cast<unsigned>(lane),
                           static_cast<unsigned>(warp.index * 32 + lane));
}

}  // namespace virtual_gpu
