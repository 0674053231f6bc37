#pragma once

// A point in what a stream does.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "driver/api.h"
#include "driver/handles.h"

namespace virtual_gpu {

struct Capture;
struct Node;

// Of one record: who waits for an event waits for the record that was the last one then.
class Moment {
 public:
  void come() {
    const std::lock_guard guard(lock_);
    is_past_ = true;
    time_ = std::chrono::steady_clock::now();
    comes_.notify_all();
  }
  void wait() {
    std::unique_lock guard(lock_);
    comes_.wait(guard, [this] { return is_past_; });
  }
  bool is_past() {
    const std::lock_guard guard(lock_);
    return is_past_;
  }
  std::chrono::steady_clock::time_point time() {
    const std::lock_guard guard(lock_);
    return time_;
  }

 private:
  std::mutex lock_;
  std::condition_variable comes_;
  bool is_past_ = false;
  std::chrono::steady_clock::time_point time_;
};

struct Event {
  unsigned flags = 0;
  // Of the last record; both are null if there was none, and one of them if there was.
  std::shared_ptr<Moment> moment;
  std::shared_ptr<Capture> capture;
  std::vector<Node*> tails;  // of the capture
  std::mutex lock;
};

Handles<Event, CUevent>& events();

}  // namespace virtual_gpu
