#include <vector>

#include "block_sum.h"
#include "column_sums.h"
#include "problem.h"
#include "streaming.h"
#include "subnormals.h"
#include "tail_columns.h"
#include "tail_loss.h"

namespace tailops {
namespace {

template <typename T>
class Backward {
 public:
  using C = ComputeType<T>;

  Backward(const Problem<T>& problem, const T* upstream, const GroupState* state,
           Executor& executor)
      : problem_(problem),
        geometry_(problem.geometry),
        upstream_(upstream),
        state_(state),
        executor_(executor),
        streamed_(is_streamed()) {}

  void run(T* gradient) const {
    const std::vector<Ties> ties = ties_of_groups();
    TailColumns<C> columns = columns_of(state_, geometry_, problem_.weights);
    add_ties(columns, ties, geometry_);
    const int64_t blocks = (geometry_.size() + kBlockLength - 1) / kBlockLength;
    parallel_for(executor_, blocks, kBlockLength, [&](int64_t begin, int64_t end) {
      std::vector<T> spread;
      for (int64_t block = begin; block < end; ++block) {
        const int64_t first = block * kBlockLength;
        write(first, std::min(first + kBlockLength, geometry_.size()), ties, columns, spread,
              gradient);
      }
      if (streamed_) finish_streaming();
    });
  }

 private:
  // Short pieces share their first and last lines of memory: those are better off in the caches.
  bool is_streamed() const {
    constexpr int64_t kShortest = 512;
    const int64_t run =
        geometry_.inner == 1 ? geometry_.length : geometry_.inner * rows_of_run(geometry_);
    return run >= kShortest && geometry_.size() * static_cast<int64_t>(sizeof(T)) >= kStreamedBytes;
  }

  std::vector<Ties> ties_of_groups() const {
    std::vector<Ties> ties(static_cast<size_t>(geometry_.groups()));
    const auto set = [&](int64_t g, double gradient) {
      ties[static_cast<size_t>(g)] = ties_of(state_[g], gradient, problem_.loops, problem_.weights);
    };
    if (problem_.weights.mode != GradientMode::kExact) {
      for (int64_t g = 0; g < geometry_.groups(); ++g) set(g, 0.0);
    } else if (geometry_.reduces_to_scalar()) {
      // The forward pass knows ∂L/∂t up to the upstream gradient.
      const double upstream = static_cast<double>(widen(upstream_[0]));
      for (int64_t g = 0; g < geometry_.groups(); ++g) {
        set(g, upstream * state_[g].threshold_gradient);
      }
    } else if (geometry_.inner == 1) {
      for_each_group(problem_, executor_,
                     [&](int64_t g, const Group<T>& group, Executor& inside, auto&) {
                       set(g, threshold_gradient(g, group, inside));
                     });
    } else {
      for_each_columns(
          problem_, executor_, [&](int64_t first, const Columns<T>& columns, Executor& inside) {
            const std::vector<double> gradients = threshold_gradients(first, columns, inside);
            for (int64_t c = 0; c < columns.width; ++c) {
              set(first + c, gradients[static_cast<size_t>(c)]);
            }
          });
    }
    return ties;
  }

  // ∂L/∂t where each element is weighted by its own row's upstream gradient.
  double threshold_gradient(int64_t g, const Group<T>& group, Executor& inside) const {
    const Tail<C> tail = tail_of(state_[g], problem_.weights);
    const int64_t origin = problem_.first_of(g);
    const auto sum_of = [&](int64_t begin, int64_t end) {
      double sum = 0.0;
      std::vector<T> spread;
      group.for_each_piece(begin, end, [&](const Piece<T>& piece, int64_t first) {
        const Upstream<T> upstream =
            upstream_of(origin + first, origin + first + piece.length, spread);
        sum += problem_.loops.threshold_gradient(piece.y_true, piece.y_pred, piece.length,
                                                 problem_.weights, tail, upstream);
      });
      return sum;
    };
    return block_sum<double>(group.length, sum_of, inside);
  }

  std::vector<double> threshold_gradients(int64_t first_group, const Columns<T>& columns,
                                          Executor& inside) const {
    const int64_t origin = problem_.first_of(first_group);
    const TailColumns<C> tails = columns_of(state_ + first_group, 1, columns.width,
                                            RowPasses(columns).repeat, problem_.weights);
    return column_threshold_gradients(columns, tails, problem_.loops, problem_.weights, inside,
                                      [&](int64_t flat, int64_t n, std::vector<T>& spread) {
                                        return upstream_of(origin + flat, origin + flat + n,
                                                           spread);
                                      });
  }

  // The upstream gradient of [begin, end), with one value per element unless one serves all.
  Upstream<T> upstream_of(int64_t begin, int64_t end, std::vector<T>& spread) const {
    if (geometry_.reduces_to_scalar()) return {upstream_, false, geometry_.row_scale};
    if (geometry_.row_length == 1) return {upstream_ + begin, true, geometry_.row_scale};
    spread.resize(static_cast<size_t>(end - begin));
    for (int64_t flat = begin; flat < end;) {
      const int64_t row = flat / geometry_.row_length;
      const int64_t stop = std::min(end, (row + 1) * geometry_.row_length);
      std::fill(spread.begin() + (flat - begin), spread.begin() + (stop - begin), upstream_[row]);
      flat = stop;
    }
    return {spread.data(), true, geometry_.row_scale};
  }

  void write(int64_t begin, int64_t end, const std::vector<Ties>& ties,
             const TailColumns<C>& columns, std::vector<T>& spread, T* gradient) const {
    const Upstream<T> upstream = upstream_of(begin, end, spread);
    for_each_run(geometry_, begin, end, [&](int64_t flat, int64_t n, int64_t group) {
      const T* const t = problem_.y_true + flat;
      const T* const p = problem_.y_pred + flat;
      Upstream<T> here = upstream;
      if (here.each) here.values += flat - begin;
      if (geometry_.inner == 1) {
        problem_.loops.gradient(t, p, n, problem_.weights, tail_of(state_[group], problem_.weights),
                                ties[static_cast<size_t>(group)], here, streamed_, gradient + flat);
      } else {
        problem_.loops.column_gradient(t, p, n, problem_.weights, columns, group, here, streamed_,
                                       gradient + flat);
      }
    });
  }

  const Problem<T>& problem_;
  const Geometry& geometry_;
  const T* const upstream_;
  const GroupState* const state_;
  Executor& executor_;
  const bool streamed_;
};

}  // namespace

template <typename T>
void tail_loss_backward(const T* upstream, const T* y_true, const T* y_pred,
                        const GroupState* state, const Geometry& geometry, const Options& options,
                        T* gradient, Executor& executor) {
  const KeepSubnormals guard;
  const Problem<T> problem(y_true, y_pred, geometry, options);
  Backward<T>(problem, upstream, state, executor).run(gradient);
}

#define TAILOPS_INSTANTIATE(T)                                                         \
  template void tail_loss_backward<T>(const T*, const T*, const T*, const GroupState*, \
                                      const Geometry&, const Options&, T*, Executor&);
TAILOPS_INSTANTIATE(float)
TAILOPS_INSTANTIATE(double)
TAILOPS_INSTANTIATE(Float16)
TAILOPS_INSTANTIATE(BFloat16)
#undef TAILOPS_INSTANTIATE

}  // namespace tailops
