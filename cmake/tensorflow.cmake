# The TensorFlow ops.
add_library(tailops_tensorflow_options INTERFACE)
target_include_directories(tailops_tensorflow_options SYSTEM INTERFACE
  ${tensorflow_folder}/include)
target_compile_definitions(tailops_tensorflow_options INTERFACE
  _GLIBCXX_USE_CXX11_ABI=1 EIGEN_MAX_ALIGN_BYTES=64)
target_link_libraries(tailops_tensorflow_options INTERFACE
  tailops_options tailops_kernels ${tensorflow_folder}/libtensorflow_framework.so.2)

# Read once for all files of a library: they are most of what there is to compile.
function(precompile_headers library)
  target_precompile_headers(${library} PRIVATE
    <tensorflow/core/framework/op.h>
    <tensorflow/core/framework/op_kernel.h>
    <tensorflow/core/framework/shape_inference.h>)
endfunction()

add_library(tailops_attributes OBJECT
  csrc/tensorflow/loss/attributes.cc
  csrc/tensorflow/quantile/attributes.cc
  csrc/tensorflow/range_mean/attributes.cc
  csrc/tensorflow/shared/attributes.cc)
target_link_libraries(tailops_attributes PRIVATE tailops_tensorflow_options)
precompile_headers(tailops_attributes)

add_library(tailops_tensorflow SHARED
  csrc/tensorflow/loss/cpu_kernels.cc
  csrc/tensorflow/loss/ops.cc
  csrc/tensorflow/quantile/cpu_kernels.cc
  csrc/tensorflow/quantile/ops.cc
  csrc/tensorflow/range_mean/cpu_kernels.cc
  csrc/tensorflow/range_mean/ops.cc
  csrc/tensorflow/shared/shapes.cc
  csrc/tensorflow/union/cpu_kernels.cc
  csrc/tensorflow/union/ops.cc
  csrc/tensorflow/union/range_ops.cc)
target_link_libraries(tailops_tensorflow PRIVATE tailops_tensorflow_options tailops_attributes)
precompile_headers(tailops_tensorflow)
if(has_cuda)
  target_sources(tailops_tensorflow PRIVATE
    csrc/tensorflow/loss/gpu_kernels.cc
    csrc/tensorflow/quantile/gpu_kernels.cc
    csrc/tensorflow/range_mean/gpu_kernels.cc
    csrc/tensorflow/union/gpu_kernels.cc)
  target_link_libraries(tailops_tensorflow PRIVATE tailops_cuda)
endif()
set_target_properties(tailops_tensorflow PROPERTIES
  INSTALL_RPATH "$ORIGIN;$ORIGIN/../tensorflow")
list(APPEND libraries tailops_tensorflow)

# The same inside XLA, a library of its own: ops load where it does not.
set(missing "")
check_ffi(${tensorflow_folder}/include has_ffi)
if(NOT has_ffi)
  set(missing "TensorFlow's XLA has no typed FFI, or an older one")
endif()
foreach(needed include/tensorflow/compiler/tf2xla/xla_op_kernel.h libtensorflow_cc.so.2)
  if(NOT EXISTS ${tensorflow_folder}/${needed})
    set(missing "TensorFlow comes without ${needed}")
  endif()
endforeach()
decide(TAILOPS_XLA "${TAILOPS_XLA}" "${missing}" has_xla)
if(has_xla)
  find_fast_linker(fast_linker)
  add_library(tailops_xla SHARED
    csrc/tensorflow/loss/custom_call.cc
    csrc/tensorflow/quantile/custom_call.cc
    csrc/tensorflow/range_mean/custom_call.cc
    csrc/tensorflow/shared/custom_call.cc
    csrc/tensorflow/shared/mlir_dictionary.cc
    csrc/tensorflow/union/custom_call.cc
    csrc/tensorflow/lowering.cc
    csrc/tensorflow/xla_kernels.cc
    csrc/xla/loss/arguments.cc
    csrc/xla/shared/arguments.cc
    csrc/xla/loss/host_handlers.cc
    csrc/xla/quantile/arguments.cc
    csrc/xla/quantile/host_handlers.cc
    csrc/xla/range_mean/arguments.cc
    csrc/xla/range_mean/host_handlers.cc
    csrc/xla/union/host_handlers.cc)
  precompile_headers(tailops_xla)
  target_include_directories(tailops_xla SYSTEM PRIVATE
    ${tensorflow_folder}/include/external/highwayhash
    ${tensorflow_folder}/include/external/farmhash_archive/src)
  target_link_libraries(tailops_xla PRIVATE
    tailops_tensorflow_options tailops_attributes ${tensorflow_folder}/libtensorflow_cc.so.2)
  if(has_cuda)
    target_sources(tailops_xla PRIVATE
      csrc/xla/loss/cuda_handlers.cc
      csrc/xla/quantile/cuda_handlers.cc
      csrc/xla/range_mean/cuda_handlers.cc
      csrc/xla/union/cuda_handlers.cc)
    target_compile_definitions(tailops_xla PRIVATE TAILOPS_HAS_CUDA)
    target_link_libraries(tailops_xla PRIVATE tailops_cuda)
  endif()
  target_link_options(tailops_xla PRIVATE -Wl,-z,defs ${fast_linker})
  set_target_properties(tailops_xla PROPERTIES INSTALL_RPATH "$ORIGIN;$ORIGIN/../tensorflow")
  list(APPEND libraries tailops_xla)
endif()
