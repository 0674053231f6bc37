# Whether the kernels for NVIDIA GPUs are built: AUTO (where there is a CUDA compiler), ON or OFF.
#
# A system's nvcc, 12 or 13; or PyPI's, where its packages are installed beside this Python: see
# docs/gpu.md. CMAKE_CUDA_ARCHITECTURES chooses what the programs are compiled for: "native", the
# GPUs of this machine; "release", all that a wheel is for; or numbers. By default it is native; where no
# GPU is visible, PTX, which takes a quarter of the time to compile, and of which a GPU's driver makes
# its program when it is first used.

include(CheckLanguage)

set(TAILOPS_CUDA AUTO CACHE STRING "Kernels for NVIDIA GPUs: AUTO, ON or OFF")
set(TAILOPS_CUDA_RUNTIME "" CACHE PATH
  "Folder with a libcudart.so to link instead of the static runtime; for tests/virtual_gpu")

# Where CMake finds no CUDA compiler by itself. PyPI's has its libraries where CMake does not look.
macro(find_nvcc_of_pypi)
  execute_process(
    COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/find_nvcc.py
    OUTPUT_VARIABLE nvcc_and_libraries OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(nvcc_and_libraries)
    list(GET nvcc_and_libraries 0 nvcc)
    list(GET nvcc_and_libraries 1 nvcc_libraries)
    unset(CMAKE_CUDA_COMPILER)  # what check_language has set, to not found
    set(CMAKE_CUDA_COMPILER ${nvcc} CACHE FILEPATH "CUDA compiler" FORCE)
    set(CMAKE_CUDA_FLAGS "-L\"${nvcc_libraries}\"" CACHE STRING "Flags of the CUDA compiler" FORCE)
  endif()
endmacro()

set(missing "")
if(NOT TAILOPS_CUDA STREQUAL "OFF")
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    find_nvcc_of_pypi()
  endif()
  if(NOT CMAKE_CUDA_COMPILER)
    set(missing "there is no CUDA compiler")
  endif()
endif()
decide(TAILOPS_CUDA "${TAILOPS_CUDA}" "${missing}" has_cuda)

# Sets `result` to all that a wheel is for, as far as this nvcc knows them; the last one also as
# PTX, for GPUs to come.
function(known_architectures result)
  execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-code OUTPUT_VARIABLE known)
  set(found "")
  foreach(architecture 75 80 86 89 90 100 120)
    if(known MATCHES "sm_${architecture}[^0-9a-z]")
      list(APPEND found ${architecture}-real)
      set(last ${architecture})
    endif()
  endforeach()
  if(NOT found)
    message(FATAL_ERROR "${CMAKE_CUDA_COMPILER} knows no GPU that tailops is for: nvcc 12 or later")
  endif()
  set(${result} ${found} ${last}-virtual PARENT_SCOPE)
endfunction()

if(has_cuda)
  set(without_gpu "")
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES native)
    set(without_gpu 75-virtual)
  elseif(CMAKE_CUDA_ARCHITECTURES STREQUAL "release")
    known_architectures(CMAKE_CUDA_ARCHITECTURES)
  endif()
  set(CMAKE_CUDA_STANDARD 17)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
  set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
  if(TAILOPS_CUDA_RUNTIME)
    set(CMAKE_CUDA_RUNTIME_LIBRARY None)
  endif()
  enable_language(CUDA)
  if(CMAKE_CUDA_ARCHITECTURES STREQUAL "native")
    if(CMAKE_CUDA_ARCHITECTURES_NATIVE MATCHES "^[0-9]")
      set(CMAKE_CUDA_ARCHITECTURES ${CMAKE_CUDA_ARCHITECTURES_NATIVE})
    elseif(without_gpu)
      set(CMAKE_CUDA_ARCHITECTURES ${without_gpu})
    else()
      message(FATAL_ERROR "CMAKE_CUDA_ARCHITECTURES=native, but no GPU is visible: name them, as in "
                          "-DCMAKE_CUDA_ARCHITECTURES=90")
    endif()
  endif()
  message(STATUS "CUDA architectures: ${CMAKE_CUDA_ARCHITECTURES}")

  set(cuda_flags
    -fmad=false --expt-relaxed-constexpr -Xfatbin=-compress-all
    -Xcompiler=-ffp-contract=off,-Wall,-Wextra,-ffile-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}=.
    $<$<BOOL:${TAILOPS_WERROR}>:-Werror=all-warnings>)
  # A library of its own, linked without TensorFlow: the framework library of TensorFlow's GPU
  # packages exports stubs of the CUDA runtime, and kernels that bind to them never run.
  add_library(tailops_cuda SHARED
    csrc/cuda/device/info.cu csrc/cuda/loss/step_numbers.cu csrc/cuda/union/descend.cu
    csrc/cuda/union/parts.cu)
  string(REPLACE ";" " " architectures "${CMAKE_CUDA_ARCHITECTURES}")
  target_compile_definitions(tailops_cuda PRIVATE TAILOPS_CUDA_ARCHITECTURES="${architectures}")
  target_compile_options(tailops_cuda PRIVATE ${cuda_flags})
  target_include_directories(tailops_cuda PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/csrc)
  if(TAILOPS_CUDA_RUNTIME)
    target_link_libraries(tailops_cuda PRIVATE ${TAILOPS_CUDA_RUNTIME}/libcudart.so)
  endif()
  target_link_options(tailops_cuda PRIVATE
    -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,-z,defs)
  function(add_cuda_kernels name source)
    add_library(tailops_cuda_${name} OBJECT csrc/cuda/${source})
    target_compile_definitions(tailops_cuda_${name} PRIVATE ${ARGN})
    target_compile_options(tailops_cuda_${name} PRIVATE ${cuda_flags})
    target_include_directories(tailops_cuda_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/csrc)
    target_sources(tailops_cuda PRIVATE $<TARGET_OBJECTS:tailops_cuda_${name}>)
  endfunction()
  foreach(element float double Float16 BFloat16)
    add_cuda_kernels(${element} loss/tail_loss.cu TAILOPS_ELEMENT=${element})
    add_cuda_kernels(selection_${element} quantile/quantile.cu TAILOPS_ELEMENT=${element})
    add_cuda_kernels(range_mean_${element} range_mean/range_mean.cu TAILOPS_ELEMENT=${element})
    add_cuda_kernels(union_${element} union/union.cu TAILOPS_ELEMENT=${element})
  endforeach()
  add_cuda_kernels(selection_integers quantile/quantile.cu)
  install(TARGETS tailops_cuda LIBRARY DESTINATION tailops COMPONENT libraries)
endif()
