#pragma once

#include <map>
#include <string>
#include <vector>

#include "program/module.h"

namespace virtual_gpu {

// Each instruction of the kernel that was executed is not 0.
void add_coverage(const Kernel& kernel, const std::vector<unsigned char>& executed);
// Of each kernel the lines of its module's text that were executed since this was last asked.
std::map<std::string, std::vector<int>> take_coverage();

}  // namespace virtual_gpu
