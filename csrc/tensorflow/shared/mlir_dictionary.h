#pragma once

#include <string>
#include <vector>

#include "call/attributes.h"

namespace tailops {

// A custom call's attributes as MLIR reads them. A number is its bits: exact, infinite or not.
std::string mlir_dictionary(const std::vector<CallAttribute>& attributes);

}  // namespace tailops
