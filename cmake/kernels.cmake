# The kernels: no framework. Their loops are compiled once per instruction set. At link time the
# sets come in ascending order, the baseline's objects first: where several define the same inline
# function, as they do in a debug build, the linker keeps the first, which all of them can run.
add_library(tailops_baseline OBJECT
  csrc/call/attributes.cc
  csrc/cpu/loss/backward.cc
  csrc/core/executor.cc
  csrc/cpu/loss/forward.cc
  csrc/cpu/loss/forward_plan.cc
  csrc/call/geometry.cc
  csrc/call/groups.cc
  csrc/call/options.cc
  csrc/cpu/quantile/select_backward.cc
  csrc/cpu/quantile/select_forward.cc
  csrc/cpu/range_mean/backward.cc
  csrc/cpu/range_mean/forward.cc
  csrc/call/quantile.cc
  csrc/call/range_mean.cc
  csrc/call/union.cc
  csrc/cpu/loss/given_state.cc
  csrc/cpu/union/descend.cc
  csrc/cpu/union/histogram.cc
  csrc/cpu/union/range.cc
  csrc/cpu/union/window.cc
  csrc/cpu/simd/dispatch.cc)
target_link_libraries(tailops_baseline PRIVATE tailops_options)
set_target_properties(tailops_baseline PROPERTIES CXX_VISIBILITY_PRESET default)
add_library(tailops_kernels SHARED $<TARGET_OBJECTS:tailops_baseline>)
target_link_options(tailops_kernels PRIVATE -Wl,-z,defs)

function(add_loops target)
  add_library(tailops_loops_${target} OBJECT csrc/cpu/simd/loops_target.cc)
  target_link_libraries(tailops_loops_${target} PRIVATE tailops_options)
  target_compile_definitions(tailops_loops_${target} PRIVATE TAILOPS_TARGET=${target})
  # No vector crosses the border of such a file: how they are passed is nobody else's business. And
  # a loop is as fast wherever the linker puts it.
  target_compile_options(tailops_loops_${target} PRIVATE
    -fno-math-errno -Wno-psabi -falign-functions=64 -falign-loops=64 ${ARGN})
  target_sources(tailops_kernels PRIVATE $<TARGET_OBJECTS:tailops_loops_${target}>)
endfunction()

add_loops(common)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_loops(avx2 -mavx2 -mfma -mf16c)
  add_loops(avx512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c)
  target_compile_definitions(tailops_baseline PRIVATE TAILOPS_X86_TARGETS)
endif()

install(TARGETS tailops_kernels LIBRARY DESTINATION tailops COMPONENT libraries)
