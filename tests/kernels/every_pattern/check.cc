// Every pattern of bits through the maps that numbers go through, for the instruction set that the
// compiler's flags name: 8, 16 and 32 bits.
//
//     check STRIDE [MAP PATTERN]
//
// Of the 2^32 one block of 2^12 in STRIDE, of each exponent the first and the last, and those where
// float16 ends. With a map, a fault is planted: it gives something else of the pattern.

#include <cstdio>
#include <cstdlib>

#include "halves.h"
#include "keys.h"
#include "sweep.h"

namespace tailops {
namespace {

void check_all(uint64_t stride) {
  const auto all = [](uint64_t) { return true; };
  constexpr uint32_t kFew = FormatOf<BFloat16>::kBlock, kMany = FormatOf<Float16>::kBlock;
  uint64_t halves = kMany * sweep((1 << 16) / kMany, kMany, all, [](uint32_t first) {
                      check_keys<Float16>(first);
                      check_widening<Float16>(first);
                    });
  halves += kFew * sweep((1 << 16) / kFew, kFew, all, [](uint32_t first) {
              check_keys<BFloat16>(first);
              check_widening<BFloat16>(first);
            });
  check_integer_keys<int8_t>("int8.key", 0);
  check_integer_keys<uint8_t>("uint8.key", 0);
  for (uint32_t first = 0; first < 1 << 16; first += kIntegers) {
    check_integer_keys<int16_t>("int16.key", first);
    check_integer_keys<uint16_t>("uint16.key", first);
  }

  constexpr uint32_t kBlock = FormatOf<float>::kBlock, kOfExponent = (1 << 23) / kBlock;
  constexpr uint32_t kEnd = 0x477ff000 / kBlock;  // what float16 rounds to infinity, from there
  const auto taken = [stride](uint64_t block) {
    return block % stride == 0 || (block + 1) % kOfExponent < 2 || kEnd - block < 2;
  };
  const uint64_t words =
      kBlock * sweep((uint64_t{1} << 32) / kBlock, kBlock, taken, [](uint32_t first) {
        check_keys<float>(first);
        for (uint32_t part = 0; part < kBlock; part += kIntegers) {
          check_integer_keys<int32_t>("int32.key", first + part);
          check_integer_keys<uint32_t>("uint32.key", first + part);
        }
        check_narrowing<Float16>(first);
        check_narrowing<BFloat16>(first);
      });
  std::printf("vectors of %d bytes, %llu patterns of halves, %llu of float32: %llu wrong\n",
              kVectorBytes, static_cast<unsigned long long>(halves),
              static_cast<unsigned long long>(words),
              static_cast<unsigned long long>(findings.wrong()));
}

}  // namespace
}  // namespace tailops

int main(int count, char** arguments) {
  using namespace tailops;
  if (count != 2 && count != 4) return 2;
  if (count == 4) {
    planted = {arguments[2], static_cast<uint32_t>(std::strtoul(arguments[3], nullptr, 0))};
  }
  check_all(std::strtoull(arguments[1], nullptr, 0));
  return findings.wrong() == 0 ? 0 : 1;
}
