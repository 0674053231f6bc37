#pragma once

// The state of the one device: which error it is in, and who may use it.

#include <mutex>

#include "driver/api.h"
#include "machine/fault.h"

namespace virtual_gpu {

// What a call that needs the device answers before anything else: that the driver was not
// initialised, that the thread has no context, or the error that a kernel has ended with.
CUresult ready();

// While a function of the program is called by a stream: it must make no calls of its own.
class InHostFunction {
 public:
  InHostFunction();
  InHostFunction(const InHostFunction&) = delete;
  InHostFunction& operator=(const InHostFunction&) = delete;
  ~InHostFunction();
};

// A kernel's fault: the device is of no more use, and what streams have yet to do they leave.
void set_error(CUresult error);
CUresult device_error();
void clear_error();
CUresult error_of(const Fault& fault);

CUcontext the_context();
bool is_context(CUcontext context);

// Held while a kernel runs, and by who changes what kernels use: memory, code.
std::mutex& device_lock();

// Says what is called, where the setting asks for it.
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace virtual_gpu
