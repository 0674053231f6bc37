#pragma once

// What reaches an element that is equal to an order statistic of the threshold, and what that
// takes.

#include <cmath>

#include "core/host_device.h"

namespace tailops {

// By an upstream gradient g: g·weight + spike·(g − expected) + through. The spike is s·e·h′, and
// `expected` what the threshold, which moves with these elements, takes off each of them: where all
// have the same g and are the threshold, exactly g. V is double, or lanes of it.
template <typename V>
struct TieOf {
  V weight;
  V spike;
  V expected;
  V through;
};

using Tie = TieOf<double>;

// visit(number...) for each number of one, or of several side by side.
template <typename Visit, typename... Ties>
void visit_ties(const Visit& visit, Ties&... ties) {
  visit(ties.weight...);
  visit(ties.spike...);
  visit(ties.expected...);
  visit(ties.through...);
}

// Of elements equal to the lower order statistic, and to the upper.
struct Ties {
  Tie lower;
  Tie upper;
};

// A sum, and what rounding has taken from it. V is double, or lanes of it. Of nothing it is zero.
template <typename V>
struct ExactSum {
  V sum;
  V rest;

  TAILOPS_HOST_DEVICE void add(V more, V more_rest) {
    const V total = sum + more, of_more = total - sum;
    rest = rest + more_rest + ((sum - (total - of_more)) + (more - of_more));
    sum = total;
  }
};

// The upstream gradients of equal elements. Their mean is exact where all are the same: what it is
// multiplied with may be so large that a rounding error of it were more than all the rest.
struct TiedUpstream : ExactSum<double> {
  TAILOPS_HOST_DEVICE void operator+=(const TiedUpstream& more) { add(more.sum, more.rest); }

  TAILOPS_HOST_DEVICE double total(double /*count*/) const { return sum; }
  TAILOPS_HOST_DEVICE double mean(double count) const {
    if (count == 1.0) return sum;
    const double rounded = sum / count;
    return rounded + (std::fma(-rounded, count, sum) + rest) / count;
  }
};

// The same where all elements have one.
struct SameUpstream {
  double upstream;

  TAILOPS_HOST_DEVICE double total(double count) const { return count * upstream; }
  TAILOPS_HOST_DEVICE double mean(double /*count*/) const { return upstream; }
};

// ∂L/∂t, in parts: of all elements but those equal to the order statistics, and what it takes for
// these.
template <typename Upstream>
struct ThresholdGradientOf {
  double others;
  Upstream lower;
  Upstream upper;
};

struct ThresholdGradient : ThresholdGradientOf<TiedUpstream> {
  TAILOPS_HOST_DEVICE void operator+=(const ThresholdGradient& more) {
    others += more.others;
    lower += more.lower;
    upper += more.upper;
  }
};

}  // namespace tailops
