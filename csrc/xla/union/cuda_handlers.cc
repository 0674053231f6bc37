// The steps of a union for platform "CUDA". No CUDA header: the stream is a pointer.

#include "cuda/loss/given_state.h"
#include "cuda/union/parts.h"
#include "cuda/union/union.h"
#include "cuda/union/window.h"
#include "xla/shared/scratch.h"
#include "xla/union/handlers.h"

namespace tailops {
namespace {

class UnionOnCuda {
 public:
  UnionOnCuda(void* stream, WorkspaceAllocator workspaces)
      : stream_(stream), workspaces_(std::move(workspaces)) {}

  // For as long as the call takes.
  template <typename Row>
  Row* room(int64_t rows) {
    return static_cast<Row*>(workspaces_.allocate(rows * static_cast<int64_t>(sizeof(Row))));
  }

  template <typename Parts, typename Number>
  void read_parts(const Parts* parts, int64_t n, Number* to) {
    cuda::read_parts(parts, n, to, stream_);
  }
  template <typename Number, typename Parts>
  void write_parts(const Number* numbers, int64_t n, Parts* to) {
    cuda::write_parts(numbers, n, to, stream_);
  }

  StepNumbers numbers(const StepNumbers* numbers) { return cuda::step_numbers(numbers, stream_); }

  template <typename T>
  void histogram(const LossShare<T>& share, const UnionRound& round, const UnionSearch* search,
                 int64_t* counts) {
    cuda::union_histogram(inputs_of(share), share.geometry, share.options, round, search, counts,
                          stream_);
  }

  void descend(const Options& options, const DescentArguments& of) {
    cuda::union_descend(options, of.round, of.groups, of.counts, of.before, of.after, stream_);
  }

  template <typename T>
  void states(const Options& options, int64_t groups, const UnionSearch* search,
              GroupState* state) {
    cuda::union_states<T>(options, groups, search, state, stream_);
  }

  template <typename T>
  void losses(const LossShare<T>& share, const GroupState* state, T* loss) {
    cuda::given_state_losses(inputs_of(share), state, share.geometry, share.options, loss, stream_);
  }

  template <typename T>
  void remember(const LossShare<T>& batch, const Window<const ComputeType<T>>& before, bool frozen,
                const Window<ComputeType<T>>& after) {
    cuda::remember(inputs_of(batch), batch.geometry, batch.options, before, frozen, after, stream_);
  }

  template <typename T>
  void slopes(const LossShare<T>& share, const T* upstream, const GroupState* state,
              UnionSlopes* slopes) {
    cuda::given_state_slopes(inputs_of(share), upstream, state, share.geometry, share.options,
                             slopes, workspace_for(share), stream_);
  }

  template <typename T>
  void gradient(const LossShare<T>& share, const T* upstream, const GroupState* state,
                const UnionSlopes* slopes, T* gradient) {
    cuda::given_state_gradient(inputs_of(share), upstream, state, slopes, share.geometry,
                               share.options, gradient, workspace_for(share), stream_);
  }

  void range_descend(RangeKind kind, const RangeBounds* bounds, const DescentArguments& of) {
    cuda::union_range_descend(kind, {nullptr, bounds}, of.round, of.groups, of.counts, of.before,
                              of.after, stream_);
  }

  template <typename T>
  void range_sums(const RangeShare<T>& share, RangeKind kind, const RangeBounds* bounds,
                  const UnionSearch* search, UnionRangeSums* sums) {
    void* const workspace = workspaces_.allocate(cuda::union_range_workspace<T>(share.geometry));
    cuda::union_range_sums(share.values, share.mask, share.geometry, kind, {nullptr, bounds},
                           search, sums, workspace, stream_);
  }

  template <typename T>
  void range_mean(RangeKind kind, const RangeBounds* bounds, int64_t groups,
                  const UnionSearch* search, const UnionRangeSums* sums, T* mean,
                  RangeState* state) {
    cuda::union_range_mean(kind, {nullptr, bounds}, groups, search, sums, mean, state, stream_);
  }

 private:
  template <typename T>
  static cuda::Inputs<T> inputs_of(const LossShare<T>& share) {
    return {share.y_true, share.y_pred, share.mask};
  }

  template <typename T>
  void* workspace_for(const LossShare<T>& share) {
    return workspaces_.allocate(cuda::given_state_workspace<T>(share.geometry));
  }

  void* stream_;
  WorkspaceAllocator workspaces_;
};

}  // namespace
}  // namespace tailops

template <>
struct xla::ffi::CtxDecoding<tailops::UnionOnCuda> {
  using Type = tailops::UnionOnCuda;

  static std::optional<Type> Decode(const XLA_FFI_Api* api, XLA_FFI_ExecutionContext* context,
                                    DiagnosticEngine& diagnostic) {
    const auto stream = CtxDecoding<PlatformStream<void*>>::Decode(api, context, diagnostic);
    if (!stream) return std::nullopt;
    return Type(*stream, tailops::WorkspaceAllocator(api, context));
  }
};

#pragma GCC visibility push(default)
TAILOPS_UNION_HANDLERS(tailops::UnionOnCuda, cuda);
#pragma GCC visibility pop
