#pragma once

// Code that the CPU kernels and the CUDA kernels share is marked with this: nvcc compiles it for
// both sides, every other compiler sees nothing.
#if defined(__CUDACC__)
#define TAILOPS_HOST_DEVICE __host__ __device__ inline
#else
#define TAILOPS_HOST_DEVICE inline
#endif

// Functions that are compiled once per instruction set live in a namespace of their own for each,
// or the linker would merge them and run one set's code on a machine that has another.
#if !defined(TAILOPS_TARGET)
#define TAILOPS_TARGET common
#endif
