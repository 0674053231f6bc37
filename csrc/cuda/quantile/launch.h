#pragma once

// The launches of a selection. Included where the kernels are compiled: by nvcc, or by a test's
// emulation.

#include "cuda/device/workspace.h"
#include "cuda/quantile/digits.h"
#include "cuda/quantile/gradient.h"
#include "cuda/quantile/in_block.h"
#include "cuda/quantile/quantile.h"

namespace tailops {
namespace cuda {

template <typename T>
class SelectLaunches {
 public:
  using Bits = OrderedBits<T>;
  using Key = typename Bits::Key;

  SelectLaunches(const SelectionGeometry& geometry, const SelectionOptions& options,
                 const Quantiles& q, const Limits& limits, void* workspace)
      : groups_{geometry.outer, geometry.length, geometry.inner},
        options_(options),
        q_(q),
        limits_(limits),
        is_empty_(geometry.size() == 0 || q.count == 0) {
    require_method_of<T>(options);
    if (is_empty_) return;
    Workspace space(workspace);
    if (q.on_host != nullptr && q.count > RankArguments::kFew) stored_ = space.add<double>(q.count);
    Geometry shape;
    shape.outer = geometry.outer;
    shape.length = geometry.length;
    shape.inner = geometry.inner;
    in_blocks_ = fits_block(shape, SelectionPath::kAuto, limits);
    group_threads_ = threads_for_group(shape, limits.most_group_threads, limits);
    if (!in_blocks_) {
      const int64_t bytes = static_cast<int64_t>(sizeof(DigitsControl<Key>)) +
                            plan().counts() * static_cast<int64_t>(sizeof(uint64_t));
      at_once_ = groups_at_once(geometry.groups(), bytes, limits);
      digits_.control = space.add<DigitsControl<Key>>(at_once_);
      digits_.counts = space.add<uint64_t>(at_once_ * plan().counts());
      digits_.counts_each = plan().counts();
    }
    bytes_ = space.bytes();
  }

  int64_t workspace_bytes() const { return bytes_; }

  void run(const T* x, T* value, SelectionState* state, void* stream) const {
    if (is_empty_) return;
    SelectionCall<T> call{};
    static_cast<Groups&>(call) = groups_;
    call.x = x;
    call.method = options_.method;
    call.ignore_nan = options_.ignore_nan;
    call.q = arguments(stream);
    call.q_count = q_.count;
    call.value = value;
    call.state = state;
    in_blocks_ ? run_groups(call, stream) : run_digits(call, stream);
  }

 private:
  DigitsPlan plan() const { return {Bits::kBits, q_.count, interpolates(options_.method) ? 2 : 1}; }

  RankArguments arguments(void* stream) const {
    RankArguments all{q_.on_device, {}};
    if (q_.on_host == nullptr) return all;
    if (stored_ == nullptr) {
      std::copy_n(q_.on_host, q_.count, all.few);
      return all;
    }
    for (int64_t first = 0; first < q_.count; first += StoreRanks::kMostThreads) {
      StoreRanks some{};
      some.count = static_cast<int>(std::min<int64_t>(q_.count - first, StoreRanks::kMostThreads));
      some.to = stored_ + first;
      std::copy_n(q_.on_host + first, some.count, some.q);
      device::launch(some, {1, 1, StoreRanks::kMostThreads, 0}, stream);
    }
    all.on_device = stored_;
    return all;
  }

  void run_groups(const SelectionCall<T>& call, void* stream) const {
    using Kernel = SelectInGroups<T>;
    const int64_t room =
        room_in_shared_memory(limits_, sizeof(typename Kernel::Shared), sizeof(Key));
    const int64_t stride = Kernel::column_stride(call.length);
    const int columns = columns_together(room / stride);
    const int64_t keys = columns == 1 ? std::min(call.length, room) : columns * stride;
    const int64_t tiles = call.outer * ceiling(call.inner, columns);
    device::launch(Kernel{call, std::min(call.length, keys), columns},
                   {std::min(tiles, limits_.most_blocks), 1, group_threads_,
                    keys * static_cast<int64_t>(sizeof(Key))},
                   stream);
  }

  // What memory delivers at once, as long as there are blocks enough for the device.
  int columns_together(int64_t most) const {
    constexpr int64_t kDelivered = 32;
    const int64_t enough =
        groups_.groups() / (limits_.groups_per_multiprocessor * limits_.multiprocessors);
    const int64_t wanted = std::min(kDelivered / static_cast<int64_t>(sizeof(T)), groups_.inner);
    return static_cast<int>(std::max<int64_t>(1, std::min({wanted, enough, most})));
  }

  void run_digits(const SelectionCall<T>& call, void* stream) const {
    const DigitsPlan of = plan();
    Limits share = limits_;
    share.blocks_per_multiprocessor =
        std::max<int64_t>(1, limits_.blocks_per_multiprocessor / at_once_);
    const int64_t blocks = blocks_for(call.length * static_cast<int64_t>(sizeof(T)), share);
    const int64_t clearing = std::min(blocks, ceiling(of.counts(), limits_.grid_threads));
    for (int64_t group = 0; group < call.groups(); group += at_once_) {
      const int64_t rows = std::min(at_once_, call.groups() - group);
      for (int64_t q = 0; q < call.q_count; q += of.q_at_once) {
        device::launch(ClearDigits<Key>{digits_}, {clearing, rows, limits_.grid_threads, 0},
                       stream);
        CountDigits<T> count{};
        count.call = call;
        count.workspace = digits_;
        count.first_group = group;
        count.first_q = q;
        count.q_at_once = static_cast<int>(std::min<int64_t>(of.q_at_once, call.q_count - q));
        count.targets_of_q = of.slots / of.q_at_once;
        count.digit_bits = of.digit_bits;
        for (count.bits = Bits::kBits; count.bits > 0; count.bits -= of.digit_bits) {
          device::launch(count, {blocks, rows, limits_.grid_threads, 0}, stream);
        }
      }
    }
  }

  const Groups groups_;
  const SelectionOptions options_;
  const Quantiles q_;
  const Limits limits_;
  const bool is_empty_;
  bool in_blocks_ = false;
  int group_threads_ = 0;
  int64_t at_once_ = 0;
  double* stored_ = nullptr;
  DigitsWorkspace<Key> digits_{};
  int64_t bytes_ = 0;
};

template <typename T>
void launch_selection_gradient(const T* upstream, const T* x, const SelectionState* state,
                               const SelectionGeometry& geometry, int64_t q_count, T* gradient,
                               const Limits& limits, void* stream) {
  if (geometry.size() == 0) return;
  const Groups groups{geometry.outer, geometry.length, geometry.inner};
  const SelectionGradientCall<T> call{groups, x, upstream, state, q_count, gradient};
  if (groups.inner > 1) {
    const ColumnPlan plan(groups.outer, groups.length, groups.inner, limits);
    device::launch(ColumnSelectionGradient<T>{call, plan},
                   {plan.blocks(), 1, static_cast<int>(plan.threads), 0}, stream);
    return;
  }
  const int64_t blocks = blocks_for(groups.size() * static_cast<int64_t>(sizeof(T)), limits);
  device::launch(SelectionGradient<T>{call}, {blocks, 1, limits.grid_threads, 0}, stream);
}

}  // namespace cuda
}  // namespace tailops
