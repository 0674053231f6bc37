# The library for JAX. Where there is no jaxlib yet, TensorFlow's headers of the same interface do.
set(jax_include "${TAILOPS_FFI_INCLUDE}")
if(NOT jax_include)
  execute_process(
    COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/find_jax.py
    OUTPUT_VARIABLE jax_include OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT jax_include)
  set(jax_include "${tensorflow_include}")
endif()
set(missing "")
check_ffi("${jax_include}" has_ffi)
if(NOT jax_include)
  set(missing "there is no jaxlib")
elseif(NOT has_ffi)
  set(missing "the typed FFI in ${jax_include} is missing or older")
endif()
decide(TAILOPS_JAX "${TAILOPS_JAX}" "${missing}" has_jax)
if(has_jax)
  add_library(tailops_jax SHARED
    csrc/xla/loss/arguments.cc
    csrc/xla/shared/arguments.cc
    csrc/xla/loss/host_handlers.cc
    csrc/xla/quantile/arguments.cc
    csrc/xla/quantile/host_handlers.cc
    csrc/xla/range_mean/arguments.cc
    csrc/xla/range_mean/host_handlers.cc
    csrc/xla/shared/interface_version.cc
    csrc/xla/union/host_handlers.cc)
  target_include_directories(tailops_jax SYSTEM PRIVATE ${jax_include})
  target_link_libraries(tailops_jax PRIVATE tailops_options tailops_kernels)
  if(has_cuda)
    target_sources(tailops_jax PRIVATE
      csrc/xla/loss/cuda_handlers.cc
      csrc/xla/quantile/cuda_handlers.cc
      csrc/xla/range_mean/cuda_handlers.cc
      csrc/xla/union/cuda_handlers.cc)
    target_link_libraries(tailops_jax PRIVATE tailops_cuda)
  endif()
  target_link_options(tailops_jax PRIVATE -Wl,-z,defs)
  set_target_properties(tailops_jax PROPERTIES INSTALL_RPATH "$ORIGIN")
  install(TARGETS tailops_jax LIBRARY DESTINATION tailops COMPONENT libraries)
endif()
