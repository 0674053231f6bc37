#pragma once

// A stream: a thread that does what it is given, in order and later than the host gives it.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "driver/api.h"
#include "driver/handles.h"

namespace virtual_gpu {

struct Capture;
struct Node;

using Task = std::function<void()>;

class Stream {
 public:
  enum Kind { kLegacy, kBlocking, kNonBlocking };

  Stream(Kind kind, int priority) : kind_(kind), priority_(priority) {}

  Kind kind() const { return kind_; }
  int priority() const { return priority_; }

  // Its number: those with this and smaller ones are done before the next.
  uint64_t add(const std::shared_ptr<Stream>& self, Task task);
  uint64_t added();
  void wait(uint64_t number);
  bool is_done();
  // Its thread ends when all is done.
  void close();

  // The capture that the stream is in, and what comes next depends on these; see capture.h.
  std::shared_ptr<Capture> capture;
  std::vector<Node*> tails;

 private:
  void work();

  const Kind kind_;
  const int priority_;
  std::mutex lock_;
  std::condition_variable more_, done_;
  std::deque<Task> tasks_;
  uint64_t added_ = 0;
  uint64_t finished_ = 0;
  bool has_thread_ = false;
  bool is_closed_ = false;
};

Handles<Stream, CUstream>& streams();

// Nobody can give it anything more; what it was given is still done, and waited for.
// False if there is none.
bool close_stream(CUstream handle);

// Null if there is none. The default stream is the legacy one, or the thread's own.
std::shared_ptr<Stream> stream_of(CUstream handle);

// Adds it in the order that the legacy stream imposes: what it does comes after all that blocking
// streams were given before, and what they are given later comes after.
uint64_t enqueue(const std::shared_ptr<Stream>& stream, Task task);

// All that any stream was given.
void wait_for_all();
void wait_for(const std::shared_ptr<Stream>& stream);
bool is_done(const std::shared_ptr<Stream>& stream);

}  // namespace virtual_gpu
