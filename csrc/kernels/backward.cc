#include <vector>

#include "block_sum.h"
#include "problem.h"
#include "subnormals.h"
#include "tail_loss.h"

namespace tailops {
namespace {

template <typename Error, typename T>
class Backward {
 public:
  using Compute = ComputeType<T>;

  Backward(const Problem<Error, T>& problem, const T* upstream, const GroupState* state,
           Executor& executor)
      : problem_(problem),
        geometry_(problem.geometry),
        mode_(problem.options.gradient),
        upstream_(upstream),
        state_(state),
        executor_(executor) {}

  void run(T* gradient) const {
    std::vector<Threshold> thresholds(static_cast<size_t>(geometry_.groups()));
    for_each_group(geometry_, executor_, [&](int64_t group, Executor& inside) {
      thresholds[static_cast<size_t>(group)] = threshold_of(group, inside);
    });
    const int64_t blocks = (geometry_.size() + kBlockLength - 1) / kBlockLength;
    parallel_for(executor_, blocks, kBlockLength, [&](int64_t begin, int64_t end) {
      for_each_element(
          geometry_, begin * kBlockLength, std::min(end * kBlockLength, geometry_.size()),
          [&](int64_t flat, int64_t group) {
            gradient[flat] = narrow<T>(derivative(flat, thresholds[static_cast<size_t>(group)]));
          });
    });
  }

 private:
  // A group's threshold, and the gradient that flows through it to each element equal to `lower`
  // or `upper`.
  struct Threshold {
    Compute value;
    Compute lower;
    Compute upper;
    double through_lower;
    double through_upper;
  };

  Threshold threshold_of(int64_t group, Executor& inside) const {
    const GroupState& state = state_[group];
    const double gradient = mode_ == GradientMode::kExact ? threshold_gradient(group, inside) : 0.0;
    return {static_cast<Compute>(state.threshold), static_cast<Compute>(state.lower),
            static_cast<Compute>(state.upper), gradient * state.lower_share,
            gradient * state.upper_share};
  }

  // ∂L/∂t. With one output the forward pass knows it up to the upstream gradient; with many, each
  // element is weighted by its own row's.
  double threshold_gradient(int64_t group, Executor& inside) const {
    if (geometry_.reduces_to_scalar()) {
      return static_cast<double>(widen(upstream_[0])) * state_[group].threshold_gradient;
    }
    const int64_t first = problem_.first_of(group);
    const Compute threshold = static_cast<Compute>(state_[group].threshold);
    const auto sum_of = [&](int64_t begin, int64_t end) {
      double sum = 0.0;
      for (int64_t k = begin; k < end; ++k) {
        const int64_t flat = first + k * geometry_.inner;
        const Compute e = problem_.error(flat);
        sum += upstream_of(flat) * problem_.threshold_derivative(e, threshold);
      }
      return sum;
    };
    return block_sum<double>(geometry_.length, sum_of, inside);
  }

  double upstream_of(int64_t flat) const {
    return static_cast<double>(widen(upstream_[flat / geometry_.row_length])) * geometry_.row_scale;
  }

  Compute derivative(int64_t flat, const Threshold& threshold) const {
    const Compute d = problem_.residual(flat);
    const Compute e = problem_.formulas.error(d);
    const double upstream = upstream_of(flat);
    const bool at_lower = e == threshold.lower;
    const bool at_upper = e == threshold.upper;
    if (mode_ == GradientMode::kExact && (at_lower || at_upper)) {
      const double through =
          (at_lower ? threshold.through_lower : 0.0) + (at_upper ? threshold.through_upper : 0.0);
      return problem_.formulas.tied_residual_derivative(d, e, threshold.value, upstream, through);
    }
    return problem_.formulas.residual_derivative(d, e, threshold.value,
                                                 static_cast<Compute>(upstream), mode_);
  }

  const Problem<Error, T>& problem_;
  const Geometry& geometry_;
  const GradientMode mode_;
  const T* const upstream_;
  const GroupState* const state_;
  Executor& executor_;
};

}  // namespace

template <typename T>
void tail_loss_backward(const T* upstream, const T* y_true, const T* y_pred,
                        const GroupState* state, const Geometry& geometry, const Options& options,
                        T* gradient, Executor& executor) {
  const KeepSubnormals guard;
  with_error_kind(options.error_kind, [&](auto kind) {
    const Problem<decltype(kind), T> problem(y_true, y_pred, geometry, options);
    Backward<decltype(kind), T>(problem, upstream, state, executor).run(gradient);
  });
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
