#pragma once

// A module of PTX: its kernels and variables.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "program/instruction.h"

namespace virtual_gpu {

struct Parameter {
  int offset;
  int bytes;
};

struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  int parameter_bytes = 0;
  int shared_bytes = 0;  // without the dynamic
  int local_bytes = 0;   // of a thread
  int most_threads = 1024;
  std::vector<Instruction> code;
  int registers = 0;
  std::vector<uint64_t> constants;                 // 32 of each: one a lane
  std::vector<std::pair<int, std::string>> reads;  // registers that hold %tid.x and the like
  std::string problem;                             // why it cannot be run; empty if it can
};

struct Variable {
  unsigned char* data;
  size_t bytes;
};

// Of a module, laid out anew in each kernel that uses it. The dynamic one has no size.
struct SharedVariable {
  int bytes;
  int alignment;
  bool is_dynamic;
};

struct Lines {
  int first, last;
};

struct Module {
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  std::string version, target;
  std::map<std::string, std::unique_ptr<Kernel>> kernels;
  std::map<std::string, Variable> variables;
  std::map<std::string, SharedVariable> shared_variables;
  std::map<std::string, Lines> kernel_lines;
  std::string text;
};

// A kernel that this machine cannot run says so when it is launched, and not before: modules hold
// kernels that nobody calls. What is no PTX at all throws std::runtime_error.
std::unique_ptr<Module> parse(const std::string& text);

// Makes the kernel what it would be if one line of its module's text said this, and all others what
// they say: for tests that must fail.
void replace_line(const Module& module, Kernel& kernel, int line, const std::string& text);

}  // namespace virtual_gpu
