// The ops of a union on the CPU.

#include "cpu/loss/given_state.h"
#include "cpu/range_mean/range_mean.h"
#include "cpu/union/union.h"
#include "cpu/union/window.h"
#include "tensorflow/shared/cpu_executor.h"
#include "tensorflow/shared/huge_pages.h"
#include "tensorflow/union/loss_kernels.h"
#include "tensorflow/union/range_kernels.h"

namespace tailops {
namespace {

using Context = tensorflow::OpKernelContext;

struct LossOnCpu {
  template <typename K>
  static void histogram(Context* context, const LossShare<K>& share, const UnionRound& round,
                        const UnionSearch* search, int64_t* counts) {
    CpuExecutor executor(context);
    union_histogram(share.y_true, share.y_pred, share.mask, share.geometry, share.options, round,
                    search, counts, executor);
  }

  static void descend(Context*, const Options& options, const UnionRound& round, int64_t groups,
                      const int64_t* counts, const UnionSearch* before, UnionSearch* after) {
    union_descend(options, round, groups, counts, before, after);
  }

  template <typename K>
  static void states(Context*, const Options& options, int64_t groups, const UnionSearch* search,
                     GroupState* state) {
    union_states<K>(options, groups, search, state);
  }

  template <typename K>
  static void losses(Context* context, const LossShare<K>& share, const GroupState* state,
                     K* loss) {
    ask_for_huge_pages(loss, static_cast<size_t>(share.geometry.size()) * sizeof(K));
    CpuExecutor executor(context);
    given_state_losses(share.y_true, share.y_pred, share.mask, state, share.geometry, share.options,
                       loss, executor);
  }

  template <typename K>
  static void remember(Context*, const LossShare<K>& batch,
                       const Window<const ComputeType<K>>& before, bool frozen,
                       const Window<ComputeType<K>>& after) {
    tailops::remember(batch, before, frozen, after);
  }

  template <typename K>
  static absl::Status slopes(Context* context, const LossShare<K>& share, const K* upstream,
                             const GroupState* state, UnionSlopes* slopes) {
    CpuExecutor executor(context);
    given_state_slopes(upstream, share.y_true, share.y_pred, share.mask, state, share.geometry,
                       share.options, slopes, executor);
    return absl::OkStatus();
  }

  template <typename K>
  static absl::Status gradient(Context* context, const LossShare<K>& share, const K* upstream,
                               const GroupState* state, const UnionSlopes* slopes, K* gradient) {
    CpuExecutor executor(context);
    given_state_gradient(upstream, share.y_true, share.y_pred, share.mask, state, slopes,
                         share.geometry, share.options, gradient, executor);
    return absl::OkStatus();
  }
};

struct RangeOnCpu {
  static void descend(Context*, RangeKind kind, const RangeBounds& bounds, const UnionRound& round,
                      int64_t groups, const int64_t* counts, const UnionSearch* before,
                      UnionSearch* after) {
    union_range_descend(kind, bounds, round, groups, counts, before, after);
  }

  template <typename K>
  static absl::Status sums(Context* context, const RangeShare<K>& share, RangeKind kind,
                           const RangeBounds& bounds, const UnionSearch* search,
                           UnionRangeSums* sums) {
    CpuExecutor executor(context);
    union_range_sums(share.values, share.mask, share.geometry, kind, bounds, search, sums,
                     executor);
    return absl::OkStatus();
  }

  template <typename K>
  static void mean(Context*, RangeKind kind, const RangeBounds& bounds, int64_t groups,
                   const UnionSearch* search, const UnionRangeSums* sums, K* mean,
                   RangeState* state) {
    union_range_mean(kind, bounds, groups, search, sums, mean, state);
  }

  template <typename K>
  static void gradient(Context* context, const RangeShare<K>& share, const K* upstream,
                       const RangeState* state, K* gradient) {
    CpuExecutor executor(context);
    range_mean_backward(upstream, share.values, share.mask, state, share.geometry, gradient,
                        executor);
  }
};

const bool registered = [] {
  register_loss_of_union<LossOnCpu>(tensorflow::DEVICE_CPU);
  register_range_of_union<RangeOnCpu>(tensorflow::DEVICE_CPU);
  return true;
}();

}  // namespace
}  // namespace tailops
