#include "control.h"

#include <stdexcept>
#include <string>

#include "driver/api.h"
#include "driver/context.h"
#include "driver/json.h"
#include "driver/module.h"
#include "driver/stream.h"
#include "machine/complaints.h"
#include "machine/counts.h"
#include "machine/coverage.h"
#include "machine/settings.h"

namespace virtual_gpu {
namespace {

std::string json_of(const Traffic& traffic) {
  return JsonObject()
      .add("requests", json(traffic.requests))
      .add("bytes", json(traffic.bytes))
      .add("transactions", json(traffic.transactions))
      .add("fewest", json(traffic.fewest))
      .text();
}

std::string json_of(const Counts& counts) {
  JsonObject lines;
  for (const auto& [line, traffic] : counts.lines)
    lines.add(std::to_string(line), json_of(traffic));
  return JsonObject()
      .add("kernel", json(counts.kernel))
      .add("blocks", json(counts.blocks))
      .add("threads", json(counts.threads))
      .add("warp_instructions", json(counts.warp_instructions))
      .add("thread_instructions", json(counts.thread_instructions))
      .add("splits", json(counts.splits))
      .add("loads", json_of(counts.loads))
      .add("stores", json_of(counts.stores))
      .add("atomics", json_of(counts.atomics))
      .add("shared", json_of(counts.shared))
      .add("local", json_of(counts.local))
      .add("lines", lines.text())
      .text();
}

std::string line_of(const std::string& text, int line) {
  size_t begin = 0;
  for (int number = 1; number < line && begin != std::string::npos; ++number) {
    begin = text.find('\n', begin);
    if (begin != std::string::npos) ++begin;
  }
  return begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace
}  // namespace virtual_gpu

using namespace virtual_gpu;

#define VIRTUAL_GPU_CONTROL __attribute__((visibility("default")))

VIRTUAL_GPU_CONTROL int virtual_gpu_set(const char* setting, long value) {
  return set(setting, value) ? 1 : 0;
}

VIRTUAL_GPU_CONTROL const char* virtual_gpu_take_complaints() {
  thread_local std::string all;
  all.clear();
  for (const std::string& complaint : take_complaints()) all += complaint + '\n';
  return all.c_str();
}

VIRTUAL_GPU_CONTROL const char* virtual_gpu_take_counts() {
  thread_local std::string all;
  std::vector<std::string> launches;
  for (const Counts& counts : take_counts()) launches.push_back(json_of(counts));
  all = json_list(launches);
  return all.c_str();
}

VIRTUAL_GPU_CONTROL const char* virtual_gpu_take_coverage() {
  thread_local std::string all;
  JsonObject kernels;
  for (const auto& [kernel, lines] : take_coverage()) {
    std::vector<std::string> numbers;
    for (const int line : lines) numbers.push_back(json(line));
    kernels.add(kernel, json_list(numbers));
  }
  all = kernels.text();
  return all.c_str();
}

VIRTUAL_GPU_CONTROL const char* virtual_gpu_kernels() {
  thread_local std::string all;
  all.clear();
  for (const auto& loaded : modules().all()) {
    for (const auto& [name, kernel] : loaded->module->kernels) all += name + '\n';
  }
  return all.c_str();
}

VIRTUAL_GPU_CONTROL const char* virtual_gpu_text(const char* kernel) {
  thread_local std::string text;
  const auto function = function_named(kernel);
  text = function ? function->module->module->text : "";
  return text.c_str();
}

VIRTUAL_GPU_CONTROL int virtual_gpu_edit(const char* name, int line, const char* text) {
  const auto function = function_named(name);
  if (!function) return 0;
  wait_for_all();
  const std::lock_guard guard(device_lock());
  const Module& module = *function->module->module;
  Kernel& kernel = *function->kernel;
  try {
    replace_line(module, kernel, line, text == nullptr ? line_of(module.text, line) : text);
  } catch (const std::runtime_error& error) {
    kernel.problem = error.what();
  }
  return 1;
}

VIRTUAL_GPU_CONTROL void virtual_gpu_recover() {
  wait_for_all();
  clear_error();
}
