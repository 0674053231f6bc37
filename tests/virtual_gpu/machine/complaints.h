#pragma once

// What was found wrong: said on stderr as well, each once a launch.

#include <string>
#include <vector>

namespace virtual_gpu {

void complain(const std::string& what);
// All since they were last taken.
std::vector<std::string> take_complaints();

}  // namespace virtual_gpu
