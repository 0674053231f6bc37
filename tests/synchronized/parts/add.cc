// Reads lines of float64 numbers in hexadecimal, and prints the sum of each line by its parts; of
// lines that begin with "count", of whole numbers.

#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

#include "core/integer_parts.h"

namespace {

double sum_of(std::istringstream& numbers) {
  tailops::NumberParts total{};
  for (std::string text; numbers >> text;) {
    const tailops::NumberParts more = tailops::parts_of_number(std::strtod(text.c_str(), nullptr));
    for (int i = 0; i < tailops::NumberParts::kParts; ++i) total.parts[i] += more.parts[i];
    total.infinities += more.infinities;
    total.minus_infinities += more.minus_infinities;
  }
  return tailops::number_of_parts(total);
}

long long count_of(std::istringstream& numbers) {
  tailops::CountParts total{};
  for (long long count; numbers >> count;) {
    const tailops::CountParts more = tailops::parts_of_count(count);
    total.low += more.low;
    total.high += more.high;
  }
  return tailops::count_of_parts(total);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream numbers(line);
    if (line.rfind("count", 0) == 0) {
      numbers.ignore(5);
      std::printf("%lld\n", count_of(numbers));
    } else {
      std::printf("%a\n", sum_of(numbers));
    }
  }
}
