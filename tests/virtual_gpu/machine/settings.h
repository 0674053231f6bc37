#pragma once

// What can be set: by the environment, as VIRTUAL_GPU_SEED=3, or by virtual_gpu_set("seed", 3).

#include <string_view>

namespace virtual_gpu {

struct Settings {
  // What is looked for.
  long races = 1;           // accesses that nothing orders
  long initialisation = 1;  // reads of what nobody wrote
  long weak = 0;            // loads see what other threads wrote as late as the memory model allows
  long stale = 0;           // with it: loads that may see an older value than memory has
  long count = 0;           // instructions, transactions, and which lines were executed
  // The schedule.
  long seed = 1;
  long resident = 4;  // blocks at a time
  long slice = 200;   // instructions of a warp, at most, before another one's turn
  long split = 0;     // one instruction in so many splits a warp at random; 0: none
  long steps = 0;     // instructions of warps that a launch may take, in millions; 0: any number
  // The device, and its driver.
  long capability = 80;
  long multiprocessors = 4;
  long memory_mb = 4096;
  long dirty = 0;     // new memory is full of ones, not of zeros
  long delay_us = 0;  // how long, at most, a stream waits before each thing that it does
  long log = 0;       // say what is called and what is run
};

// Those in force; read from the environment at first.
Settings& settings();

// False if there is none of that name.
bool set(std::string_view name, long value);

}  // namespace virtual_gpu
