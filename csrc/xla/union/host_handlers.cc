// The steps of a union for platform "Host".

#include <algorithm>
#include <memory>
#include <vector>

#include "core/subnormals.h"
#include "cpu/loss/given_state.h"
#include "cpu/union/union.h"
#include "cpu/union/window.h"
#include "xla/shared/pool_executor.h"
#include "xla/union/handlers.h"

namespace tailops {
namespace {

class UnionOnHost {
 public:
  explicit UnionOnHost(xla::ffi::ThreadPool pool) : pool_(pool) {}

  // For as long as the call takes.
  template <typename Row>
  Row* room(int64_t rows) {
    const auto room = std::make_shared<std::vector<Row>>(static_cast<size_t>(rows));
    rooms_.push_back(room);
    return room->data();
  }

  static void read_parts(const CountParts* parts, int64_t n, int64_t* to) {
    std::transform(parts, parts + n, to, count_of_parts);
  }
  static void write_parts(const int64_t* counts, int64_t n, CountParts* to) {
    std::transform(counts, counts + n, to, parts_of_count);
  }
  static void read_parts(const NumberParts* parts, int64_t n, double* to) {
    const KeepSubnormals guard;
    std::transform(parts, parts + n, to, number_of_parts);
  }
  static void write_parts(const double* numbers, int64_t n, NumberParts* to) {
    std::transform(numbers, numbers + n, to, parts_of_number);
  }

  static StepNumbers numbers(const StepNumbers* numbers) { return *numbers; }

  template <typename T>
  void histogram(const LossShare<T>& share, const UnionRound& round, const UnionSearch* search,
                 int64_t* counts) {
    PoolExecutor executor(pool_);
    union_histogram(share.y_true, share.y_pred, share.mask, share.geometry, share.options, round,
                    search, counts, executor);
  }

  static void descend(const Options& options, const DescentArguments& of) {
    union_descend(options, of.round, of.groups, of.counts, of.before, of.after);
  }

  template <typename T>
  static void states(const Options& options, int64_t groups, const UnionSearch* search,
                     GroupState* state) {
    union_states<T>(options, groups, search, state);
  }

  template <typename T>
  void losses(const LossShare<T>& share, const GroupState* state, T* loss) {
    PoolExecutor executor(pool_);
    given_state_losses(share.y_true, share.y_pred, share.mask, state, share.geometry, share.options,
                       loss, executor);
  }

  template <typename T>
  static void remember(const LossShare<T>& batch, const Window<const ComputeType<T>>& before,
                       bool frozen, const Window<ComputeType<T>>& after) {
    tailops::remember(batch, before, frozen, after);
  }

  template <typename T>
  void slopes(const LossShare<T>& share, const T* upstream, const GroupState* state,
              UnionSlopes* slopes) {
    PoolExecutor executor(pool_);
    given_state_slopes(upstream, share.y_true, share.y_pred, share.mask, state, share.geometry,
                       share.options, slopes, executor);
  }

  template <typename T>
  void gradient(const LossShare<T>& share, const T* upstream, const GroupState* state,
                const UnionSlopes* slopes, T* gradient) {
    PoolExecutor executor(pool_);
    given_state_gradient(upstream, share.y_true, share.y_pred, share.mask, state, slopes,
                         share.geometry, share.options, gradient, executor);
  }

  static void range_descend(RangeKind kind, const RangeBounds* bounds, const DescentArguments& of) {
    union_range_descend(kind, *bounds, of.round, of.groups, of.counts, of.before, of.after);
  }

  template <typename T>
  void range_sums(const RangeShare<T>& share, RangeKind kind, const RangeBounds* bounds,
                  const UnionSearch* search, UnionRangeSums* sums) {
    PoolExecutor executor(pool_);
    union_range_sums(share.values, share.mask, share.geometry, kind, *bounds, search, sums,
                     executor);
  }

  template <typename T>
  static void range_mean(RangeKind kind, const RangeBounds* bounds, int64_t groups,
                         const UnionSearch* search, const UnionRangeSums* sums, T* mean,
                         RangeState* state) {
    union_range_mean(kind, *bounds, groups, search, sums, mean, state);
  }

 private:
  xla::ffi::ThreadPool pool_;
  std::vector<std::shared_ptr<void>> rooms_;
};

}  // namespace
}  // namespace tailops

template <>
struct xla::ffi::CtxDecoding<tailops::UnionOnHost> {
  using Type = tailops::UnionOnHost;

  static std::optional<Type> Decode(const XLA_FFI_Api* api, XLA_FFI_ExecutionContext* context,
                                    DiagnosticEngine& diagnostic) {
    const auto pool = CtxDecoding<ThreadPool>::Decode(api, context, diagnostic);
    if (!pool) return std::nullopt;
    return Type(*pool);
  }
};

#pragma GCC visibility push(default)
TAILOPS_UNION_HANDLERS(tailops::UnionOnHost, host);
#pragma GCC visibility pop
