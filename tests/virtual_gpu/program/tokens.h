#pragma once

// The words of a PTX text.

#include <string>
#include <string_view>
#include <vector>

namespace virtual_gpu {

struct Token {
  enum Kind : char { kWord, kNumber, kSign, kString, kEnd };

  std::string_view text;  // of the text that was cut up
  int line;
  Kind kind;
};

// The last one is of kind kEnd. A line that a kernel's text begins with has this number.
std::vector<Token> tokens_of(std::string_view text, int first_line = 1);

// A number as its bits: decimal, hexadecimal, or a float as 0f3F800000 and 0d3FF0000000000000.
uint64_t bits_of(std::string_view number);

}  // namespace virtual_gpu
