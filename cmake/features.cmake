# Features that are AUTO (where they can be built), ON or OFF; here those of XLA, inside TensorFlow
# and for JAX.

include(CheckCXXSourceCompiles)
include(CheckLinkerFlag)

set(TAILOPS_XLA AUTO CACHE STRING "Kernels inside TensorFlow's XLA: AUTO, ON or OFF")
set(TAILOPS_JAX AUTO CACHE STRING "Kernels for JAX: AUTO, ON or OFF")
set(TAILOPS_FFI_INCLUDE "" CACHE PATH
  "Headers of XLA's typed FFI for JAX, and for a TensorFlow that has none, 2.19: jaxlib's of that time")

# Whether these folders have all of the typed FFI that csrc/xla uses.
function(check_ffi includes result)
  set(${result} OFF PARENT_SCOPE)
  find_file(header xla/ffi/api/ffi.h PATHS ${includes} NO_DEFAULT_PATH NO_CACHE)
  if(header)
    # Remembered for these very folders' headers: a build folder outlives an upgrade.
    set(key "")
    foreach(include ${includes})
      foreach(name ffi c_api)
        if(EXISTS ${include}/xla/ffi/api/${name}.h)
          file(MD5 ${include}/xla/ffi/api/${name}.h md5)
          string(MD5 key "${key}${md5}")
        endif()
      endforeach()
    endforeach()
    set(CMAKE_REQUIRED_INCLUDES ${includes})
    set(CMAKE_REQUIRED_FLAGS "-std=c++17 -Wno-error")
    set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
    check_cxx_source_compiles([[
      #include "xla/ffi/api/ffi.h"
      bool has_axis(xla::ffi::ThreadPool pool, xla::ffi::AnyBuffer, xla::ffi::Dictionary options) {
        return pool.num_threads() > 0 && options.contains("axis");
      }
    ]] TAILOPS_HAS_FFI_${key})
    set(${result} ${TAILOPS_HAS_FFI_${key}} PARENT_SCOPE)
  endif()
endfunction()

# Sets `result` to whether to build a feature that is wanted AUTO, ON or OFF; `missing` is what it
# lacks here.
function(decide feature wanted missing result)
  if(NOT wanted MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "${feature}=${wanted}: must be AUTO, ON or OFF")
  endif()
  if(wanted STREQUAL "OFF")
    set(missing "switched off")
  elseif(missing AND NOT wanted STREQUAL "AUTO")
    message(FATAL_ERROR "${feature}=${wanted}, but ${missing}")
  endif()
  if(missing)
    set(${result} OFF PARENT_SCOPE)
    message(STATUS "${feature}: no, ${missing}")
  else()
    set(${result} ON PARENT_SCOPE)
    message(STATUS "${feature}: yes")
  endif()
endfunction()

# Sets `result` to the option for a linker that is not long at TensorFlow's half a million symbols,
# if there is one: the usual one takes most of the time of a small change.
function(find_fast_linker result)
  set(${result} "" PARENT_SCOPE)
  foreach(linker lld gold)
    check_linker_flag(CXX -fuse-ld=${linker} TAILOPS_HAS_${linker})
    if(TAILOPS_HAS_${linker})
      set(${result} -fuse-ld=${linker} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()
