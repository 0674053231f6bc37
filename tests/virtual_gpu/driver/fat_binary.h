#pragma once

#include <string>

namespace virtual_gpu {

// The PTX of an image: of a text, or of what nvcc makes of several, for the highest architecture
// that the device knows. Empty if there is none for it. Throws std::runtime_error.
std::string text_of_image(const void* image);

}  // namespace virtual_gpu
