# The custom calls: in a library for each XLA that makes them, TensorFlow's and JAX's.
function(add_custom_calls library)
  target_sources(${library} PRIVATE
    csrc/xla/loss/arguments.cc
    csrc/xla/loss/host_handlers.cc
    csrc/xla/quantile/arguments.cc
    csrc/xla/quantile/host_handlers.cc
    csrc/xla/range_mean/arguments.cc
    csrc/xla/range_mean/host_handlers.cc
    csrc/xla/shared/arguments.cc
    csrc/xla/union/host_handlers.cc)
  if(has_cuda)
    target_sources(${library} PRIVATE
      csrc/xla/loss/cuda_handlers.cc
      csrc/xla/quantile/cuda_handlers.cc
      csrc/xla/range_mean/cuda_handlers.cc
      csrc/xla/union/cuda_handlers.cc)
    target_link_libraries(${library} PRIVATE tailops_cuda)
  endif()
endfunction()
