#pragma once

// Modules that a program has loaded.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "driver/api.h"
#include "driver/handles.h"
#include "program/module.h"

namespace virtual_gpu {

struct LoadedModule;

struct Function {
  LoadedModule* module = nullptr;
  Kernel* kernel = nullptr;
  CUfunction handle = nullptr;
  int most_dynamic_bytes = -1;  // of shared memory; the default, if below 0
};

struct LoadedModule {
  std::unique_ptr<Module> module;
  std::map<std::string, std::unique_ptr<Function>> functions;
  CUmodule handle = nullptr;
};

Handles<LoadedModule, CUmodule>& modules();

// Keeps its module loaded for as long as somebody has it. Null if there is none.
std::shared_ptr<Function> function_of(CUfunction handle);

// For control.cc.
std::shared_ptr<Function> function_named(const std::string& kernel);

}  // namespace virtual_gpu
