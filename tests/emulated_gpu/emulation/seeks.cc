// The search for a key by digits, from ranges at both ends of the type: prints each range and key
// where a digit leads away from the key, or leaves the range as it was.

#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "cuda/select/seek.h"

namespace {

using tailops::cuda::Digits;
using tailops::cuda::Seek;

template <typename Key>
bool is_found(Key first, Key last, Key key) {
  Seek<Key> seek{first, last, 0, 1};
  while (!seek.found()) {
    const Digits<Key> digits = Digits<Key>::over(seek.first, seek.last);
    const Seek<Key> next = seek.descended(digits, static_cast<int>(digits.bin(key)), 0, 1);
    const bool is_within = next.first >= seek.first && next.last <= seek.last;
    const bool is_smaller = next.last - next.first < seek.last - seek.first;
    if (!is_within || !is_smaller || !next.holds(key)) return false;
    seek = next;
  }
  return true;
}

template <typename Key>
int64_t check(const char* name) {
  std::mt19937_64 random{1};
  std::vector<Key> ends;
  for (int bit = 0; bit < static_cast<int>(8 * sizeof(Key)); ++bit) {
    const Key power = Key(1) << bit;
    for (const Key key : {power, static_cast<Key>(power - 1), static_cast<Key>(~power)}) {
      ends.push_back(key);
      ends.push_back(static_cast<Key>(~Key(0) - key));
    }
  }
  int64_t checked = 0, shown = 0;
  for (const Key first : ends) {
    for (const Key last : ends) {
      if (first > last) continue;
      const Key inside =
          last - first == static_cast<Key>(~Key(0))
              ? static_cast<Key>(random())
              : static_cast<Key>(first + static_cast<Key>(random()) % (last - first + 1));
      for (const Key key : {first, inside, last}) {
        ++checked;
        if (is_found(first, last, key) || ++shown > 5) continue;
        std::printf("%s: not %llx, from %llx to %llx\n", name, static_cast<unsigned long long>(key),
                    static_cast<unsigned long long>(first), static_cast<unsigned long long>(last));
      }
    }
  }
  return checked;
}

}  // namespace

int main() {
  const int64_t checked = check<uint32_t>("32 bits") + check<uint64_t>("64 bits");
  std::printf("%lld searches\n", static_cast<long long>(checked));
}
