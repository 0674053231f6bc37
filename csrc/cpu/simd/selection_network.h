#pragma once

// Which comparisons find some order statistics of a few values, whatever the values are: many
// groups run through them side by side. Batcher's sorting network (Knuth, The Art of Computer
// Programming, volume 3, algorithm 5.2.2M) without the comparators that what is wanted does not
// depend on.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tailops {

class SelectionNetwork {
 public:
  // The smaller of two values goes to one line, the larger to the other.
  struct Comparator {
    uint16_t smaller;
    uint16_t larger;
  };

  static constexpr int kMostLines = 128;
  // Of fewer groups each is as well off alone.
  static constexpr int64_t kFewestGroups = 16;

  // How many groups of so many elements are taken at once: whole vectors of them, in the cache.
  static int64_t groups_at_once(int64_t length) {
    constexpr int64_t kElements = 4096, kVector = 16, kMost = 256;
    return std::clamp(kElements / length / kVector * kVector, kVector, kMost);
  }

  // Afterwards the values of the ranks that are wanted stand on the lines of these numbers.
  SelectionNetwork(int64_t lines, const std::vector<int64_t>& ranks)
      : lines_(static_cast<int>(lines)), wanted_(ranks.begin(), ranks.end()) {
    sort();
    keep_wanted();
  }

  int lines() const { return lines_; }
  const std::vector<int>& wanted() const { return wanted_; }
  const std::vector<Comparator>& comparators() const { return comparators_; }

 private:
  // A network for a power of two of lines, of which the first are taken to hold −∞ and are not
  // there: what that leaves for the largest value is a tree.
  void sort() {
    if (lines_ == 1) return;
    int top = 1;
    while (2 * top < lines_) top *= 2;
    const int missing = 2 * top - lines_;
    for (int p = top; p > 0; p /= 2) {
      for (int q = top, r = 0, d = p;; d = q - p, q /= 2, r = p) {
        for (int i = missing; i + d < 2 * top; ++i) {
          if ((i & p) != r) continue;
          comparators_.push_back(
              {static_cast<uint16_t>(i - missing), static_cast<uint16_t>(i - missing + d)});
        }
        if (q == p) break;
      }
    }
  }

  void keep_wanted() {
    std::vector<bool> wanted(static_cast<size_t>(lines_));
    for (const int line : wanted_) wanted[static_cast<size_t>(line)] = true;
    std::vector<Comparator> kept;
    for (auto c = comparators_.rbegin(); c != comparators_.rend(); ++c) {
      if (!wanted[c->smaller] && !wanted[c->larger]) continue;
      wanted[c->smaller] = wanted[c->larger] = true;
      kept.push_back(*c);
    }
    std::reverse(kept.begin(), kept.end());
    comparators_ = std::move(kept);
  }

  int lines_;
  std::vector<int> wanted_;
  std::vector<Comparator> comparators_;
};

}  // namespace tailops
