#pragma once

// The selection ops' part of custom_call.h.

#include <string>

#include "custom_call.h"

namespace tailops {

bool is_selection(const std::string& op);

absl::StatusOr<Lowering> selection_lowering_of(tensorflow::OpKernelConstruction* context);

// An entry of an MLIR dictionary.
inline std::string int_entry(const char* name, int64_t value) {
  return std::string(name) + " = " + std::to_string(value) + " : i64";
}

}  // namespace tailops
