#pragma once

// What PTX calls a type, a state space and a scope, and what they are in bytes.

#include <cstdint>
#include <string_view>

namespace virtual_gpu {

enum class Type : uint8_t {
  kNone,
  kPred,
  kB8,
  kU8,
  kS8,
  kB16,
  kU16,
  kS16,
  kF16,
  kBF16,
  kB32,
  kU32,
  kS32,
  kF32,
  kF16x2,
  kBF16x2,
  kB64,
  kU64,
  kS64,
  kF64,
  kB128,
};

enum class Space : uint8_t { kGeneric, kGlobal, kShared, kLocal, kParameters, kConstant };

// How far an access or a fence reaches: the block, the device, all.
enum class Scope : uint8_t { kBlock, kDevice, kSystem };

// kNone if there is no such type.
Type type_of(std::string_view name);

constexpr int bytes_of(Type type) {
  if (type == Type::kNone) return 0;
  if (type <= Type::kS8) return 1;
  if (type <= Type::kBF16) return 2;
  if (type <= Type::kBF16x2) return 4;
  return type == Type::kB128 ? 16 : 8;
}

constexpr bool is_signed(Type type) {
  return type == Type::kS8 || type == Type::kS16 || type == Type::kS32 || type == Type::kS64;
}

constexpr bool is_floating(Type type) {
  return type == Type::kF16 || type == Type::kBF16 || type == Type::kF32 || type == Type::kF64;
}

}  // namespace virtual_gpu
