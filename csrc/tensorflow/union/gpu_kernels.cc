// The ops of a union on NVIDIA GPUs.

#include "cuda/loss/given_state.h"
#include "cuda/range_mean/range_mean.h"
#include "cuda/union/union.h"
#include "cuda/union/window.h"
#include "tensorflow/shared/gpu_call.h"
#include "tensorflow/union/loss_kernels.h"
#include "tensorflow/union/range_kernels.h"

namespace tailops {
namespace {

using Context = tensorflow::OpKernelContext;

template <typename K>
cuda::Inputs<K> inputs_of(const LossShare<K>& share) {
  return {share.y_true, share.y_pred, share.mask};
}

struct LossOnGpu {
  template <typename K>
  static void histogram(Context* context, const LossShare<K>& share, const UnionRound& round,
                        const UnionSearch* search, int64_t* counts) {
    cuda::union_histogram(inputs_of(share), share.geometry, share.options, round, search, counts,
                          stream_of(context));
  }

  static void descend(Context* context, const Options& options, const UnionRound& round,
                      int64_t groups, const int64_t* counts, const UnionSearch* before,
                      UnionSearch* after) {
    cuda::union_descend(options, round, groups, counts, before, after, stream_of(context));
  }

  template <typename K>
  static void states(Context* context, const Options& options, int64_t groups,
                     const UnionSearch* search, GroupState* state) {
    cuda::union_states<K>(options, groups, search, state, stream_of(context));
  }

  template <typename K>
  static void losses(Context* context, const LossShare<K>& share, const GroupState* state,
                     K* loss) {
    cuda::given_state_losses(inputs_of(share), state, share.geometry, share.options, loss,
                             stream_of(context));
  }

  template <typename K>
  static void remember(Context* context, const LossShare<K>& batch,
                       const Window<const ComputeType<K>>& before, bool frozen,
                       const Window<ComputeType<K>>& after) {
    cuda::remember(inputs_of(batch), batch.geometry, batch.options, before, frozen, after,
                   stream_of(context));
  }

  template <typename K>
  static absl::Status slopes(Context* context, const LossShare<K>& share, const K* upstream,
                             const GroupState* state, UnionSlopes* slopes) {
    const int64_t bytes = cuda::given_state_workspace<K>(share.geometry);
    return with_workspace(context, bytes, [&](void* workspace) {
      cuda::given_state_slopes(inputs_of(share), upstream, state, share.geometry, share.options,
                               slopes, workspace, stream_of(context));
    });
  }

  template <typename K>
  static absl::Status gradient(Context* context, const LossShare<K>& share, const K* upstream,
                               const GroupState* state, const UnionSlopes* slopes, K* gradient) {
    const int64_t bytes = cuda::given_state_workspace<K>(share.geometry);
    return with_workspace(context, bytes, [&](void* workspace) {
      cuda::given_state_gradient(inputs_of(share), upstream, state, slopes, share.geometry,
                                 share.options, gradient, workspace, stream_of(context));
    });
  }
};

struct RangeOnGpu {
  static void descend(Context* context, RangeKind kind, const RangeBounds& bounds,
                      const UnionRound& round, int64_t groups, const int64_t* counts,
                      const UnionSearch* before, UnionSearch* after) {
    require_range(kind, bounds);
    cuda::union_range_descend(kind, {&bounds, nullptr}, round, groups, counts, before, after,
                              stream_of(context));
  }

  template <typename K>
  static absl::Status sums(Context* context, const RangeShare<K>& share, RangeKind kind,
                           const RangeBounds& bounds, const UnionSearch* search,
                           UnionRangeSums* sums) {
    const int64_t bytes = cuda::union_range_workspace<K>(share.geometry);
    return with_workspace(context, bytes, [&](void* workspace) {
      cuda::union_range_sums(share.values, share.mask, share.geometry, kind, {&bounds, nullptr},
                             search, sums, workspace, stream_of(context));
    });
  }

  template <typename K>
  static void mean(Context* context, RangeKind kind, const RangeBounds& bounds, int64_t groups,
                   const UnionSearch* search, const UnionRangeSums* sums, K* mean,
                   RangeState* state) {
    cuda::union_range_mean(kind, {&bounds, nullptr}, groups, search, sums, mean, state,
                           stream_of(context));
  }

  template <typename K>
  static void gradient(Context* context, const RangeShare<K>& share, const K* upstream,
                       const RangeState* state, K* gradient) {
    cuda::range_mean_backward(upstream, share.values, share.mask, state, share.geometry, gradient,
                              stream_of(context));
  }
};

const bool registered = [] {
  register_loss_of_union<LossOnGpu>(tensorflow::DEVICE_GPU);
  register_range_of_union<RangeOnGpu>(tensorflow::DEVICE_GPU);
  return true;
}();

}  // namespace
}  // namespace tailops
