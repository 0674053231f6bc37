# The libraries of a build that is installed in TAILOPS_PREBUILT, which depend on no Python: a wheel takes
# them as they are.

set(has_cuda OFF)
foreach(library kernels cuda)
  set(file ${TAILOPS_PREBUILT}/tailops/libtailops_${library}.so)
  if(EXISTS ${file})
    add_library(tailops_${library} SHARED IMPORTED)
    set_target_properties(tailops_${library} PROPERTIES
      IMPORTED_LOCATION ${file} IMPORTED_NO_SONAME ON)
    set(has_${library} ON)
  endif()
endforeach()
if(NOT TARGET tailops_kernels)
  message(FATAL_ERROR "TAILOPS_PREBUILT=${TAILOPS_PREBUILT}: no tailops/libtailops_kernels.so there")
endif()
install(DIRECTORY ${TAILOPS_PREBUILT}/tailops/ DESTINATION tailops COMPONENT libraries)
