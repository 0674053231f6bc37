# The TensorFlow ops, for each TensorFlow that is there: tensorflow-2.21/libtailops_tensorflow.so, and its
# libtailops_xla.so. TensorFlow's C++ interface changes with every minor version.

if(TAILOPS_TENSORFLOW STREQUAL "none")
  set(tensorflows "")
  message(STATUS "TensorFlow: none, the kernels alone")
else()
  execute_process(
    COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/find_tensorflow.py
            ${TAILOPS_TENSORFLOW}
    OUTPUT_VARIABLE tensorflows OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_VARIABLE why ERROR_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR
      "tailops builds against an installed TensorFlow: ${why}. pip install tensorflow, then "
      "pip install --no-build-isolation .")
  endif()
  # folder;version, a line each, as a list of folders and versions in turn
  string(REPLACE "\n" ";" tensorflows "${tensorflows}")
endif()
set(tensorflow_include "")
find_fast_linker(fast_linker)

# A library of the ops of a TensorFlow, named and placed as Python looks for it.
function(add_tensorflow_library target name minor)
  add_library(${target} SHARED ${ARGN})
  target_precompile_headers(${target} REUSE_FROM tailops_attributes_${minor})
  # CMake's macro for a shared library is a difference for which they would not be taken.
  set_target_properties(${target} PROPERTIES DEFINE_SYMBOL ""
    OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tensorflow-${minor}
    INSTALL_RPATH "$ORIGIN/..;$ORIGIN/../../tensorflow")
  install(TARGETS ${target}
    LIBRARY DESTINATION tailops/tensorflow-${minor} COMPONENT libraries)
endfunction()

while(tensorflows)
  list(POP_FRONT tensorflows folder version)
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" minor ${version})
  message(STATUS "TensorFlow ${version} in ${folder}")
  set(tensorflow_include ${folder}/include)

  set(options tailops_tensorflow_options_${minor})
  add_library(${options} INTERFACE)
  # TensorFlow's own come first: with headers of another time they do not compile where they do not fit.
  set(includes ${tensorflow_include} ${TAILOPS_FFI_INCLUDE})
  target_include_directories(${options} SYSTEM INTERFACE ${includes})
  target_compile_definitions(${options} INTERFACE _GLIBCXX_USE_CXX11_ABI=1 EIGEN_MAX_ALIGN_BYTES=64)
  target_compile_options(${options} INTERFACE -ffile-prefix-map=${folder}=tensorflow)
  target_link_libraries(${options} INTERFACE
    tailops_options tailops_kernels ${folder}/libtensorflow_framework.so.2)

  set(attributes tailops_attributes_${minor})
  add_library(${attributes} OBJECT
    csrc/tensorflow/loss/attributes.cc
    csrc/tensorflow/quantile/attributes.cc
    csrc/tensorflow/range_mean/attributes.cc
    csrc/tensorflow/shared/attributes.cc)
  target_link_libraries(${attributes} PRIVATE ${options})
  # Read once for all libraries: they are most of what there is to compile.
  target_precompile_headers(${attributes} PRIVATE
    <tensorflow/core/framework/op.h>
    <tensorflow/core/framework/op_kernel.h>
    <tensorflow/core/framework/shape_inference.h>)

  set(ops tailops_tensorflow_${minor})
  add_tensorflow_library(${ops} tailops_tensorflow ${minor}
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
  target_link_libraries(${ops} PRIVATE ${options} ${attributes})
  if(has_cuda)
    target_sources(${ops} PRIVATE
      csrc/tensorflow/loss/gpu_kernels.cc
      csrc/tensorflow/quantile/gpu_kernels.cc
      csrc/tensorflow/range_mean/gpu_kernels.cc
      csrc/tensorflow/union/gpu_kernels.cc)
    target_link_libraries(${ops} PRIVATE tailops_cuda)
  endif()

  # The same inside XLA, a library of its own: ops load where it does not.
  set(missing "")
  check_ffi("${includes}" has_ffi)
  if(NOT has_ffi)
    set(missing "TensorFlow's XLA has no typed FFI, or an older one")
  endif()
  foreach(needed include/tensorflow/compiler/tf2xla/xla_op_kernel.h libtensorflow_cc.so.2)
    if(NOT EXISTS ${folder}/${needed})
      set(missing "TensorFlow comes without ${needed}")
    endif()
  endforeach()
  decide(TAILOPS_XLA "${TAILOPS_XLA}" "${missing}" has_xla)
  if(has_xla)
    set(xla tailops_xla_${minor})
    add_tensorflow_library(${xla} tailops_xla ${minor}
      csrc/tensorflow/loss/custom_call.cc
      csrc/tensorflow/quantile/custom_call.cc
      csrc/tensorflow/range_mean/custom_call.cc
      csrc/tensorflow/shared/custom_call.cc
      csrc/tensorflow/shared/mlir_dictionary.cc
      csrc/tensorflow/union/custom_call.cc
      csrc/tensorflow/lowering.cc
      csrc/tensorflow/xla_kernels.cc)
    add_custom_calls(${xla})
    if(minor VERSION_EQUAL 2.19)
      target_include_directories(${xla} BEFORE PRIVATE csrc/tensorflow/stand_ins)
    endif()
    target_include_directories(${xla} SYSTEM PRIVATE
      ${folder}/include/external/highwayhash
      ${folder}/include/external/farmhash_archive/src)
    target_link_libraries(${xla} PRIVATE
      ${options} ${attributes} ${folder}/libtensorflow_cc.so.2)
    if(has_cuda)
      target_compile_definitions(${xla} PRIVATE TAILOPS_HAS_CUDA)
    endif()
    target_link_options(${xla} PRIVATE -Wl,-z,defs ${fast_linker})
  endif()
endwhile()
