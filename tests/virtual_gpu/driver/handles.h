#pragma once

// What a program knows of the driver's objects: numbers that are never used twice, so that one that
// was destroyed, or never was, is found out.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace virtual_gpu {

inline uintptr_t next_handle() {
  // None of them is an address that a program has, nor one of the special handles, 1 and 2.
  static std::mutex lock;
  static uintptr_t last = 0x1000;
  const std::lock_guard guard(lock);
  return last += 16;
}

template <typename Object, typename Handle>
class Handles {
 public:
  Handle add(std::shared_ptr<Object> object) {
    const std::lock_guard guard(lock_);
    const auto handle = reinterpret_cast<Handle>(next_handle());
    objects_[handle] = std::move(object);
    return handle;
  }
  // Null if there is none.
  std::shared_ptr<Object> find(Handle handle) {
    const std::lock_guard guard(lock_);
    const auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : found->second;
  }
  std::shared_ptr<Object> remove(Handle handle) {
    const std::lock_guard guard(lock_);
    const auto found = objects_.find(handle);
    if (found == objects_.end()) return nullptr;
    std::shared_ptr<Object> object = std::move(found->second);
    objects_.erase(found);
    return object;
  }
  std::vector<std::shared_ptr<Object>> all() {
    const std::lock_guard guard(lock_);
    std::vector<std::shared_ptr<Object>> found;
    for (const auto& [handle, object] : objects_) found.push_back(object);
    return found;
  }

 private:
  std::mutex lock_;
  std::map<Handle, std::shared_ptr<Object>> objects_;
};

}  // namespace virtual_gpu
