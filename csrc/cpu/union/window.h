#pragma once

// What a loss remembers: the union of a batch with those before it, as far as a window goes.
//
// T is float, double, Float16 or BFloat16.

#include "call/union.h"
#include "core/float_types.h"
#include "formulas/window.h"

namespace tailops {

// The window with the errors of a batch, all of which is one group: of those that are not ignored
// the last that fit, in their order, in place of the oldest. A window that is `frozen` stays as it
// is, if anything is in it. `after` may be `before`.
template <typename T>
void remember(const LossShare<T>& batch, const Window<const ComputeType<T>>& before, bool frozen,
              const Window<ComputeType<T>>& after);

}  // namespace tailops
