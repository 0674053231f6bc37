#pragma once

// Global memory as the blocks of a launch see it: what one has written, others see late, and what
// one has seen, it may see again after it has changed.
//
// There are two places: what is published, and each block's view, which is in the memory itself
// while the block runs. PTX's rule of release and acquire is what moves data between them:
//
//   a fence, then an atomic, of the same thread: publishes what the block had written at the fence
//   an atomic, then a fence, of the same thread: the block sees what is published
//
// Besides these, the end of a block publishes what it has written, or, at random, only the end of
// the launch does. An atomic is on what is published.
//
// What is checked so: that what a block reads of another's is ordered by such a pair on each side.
// What is not: which of a block's threads a barrier has put in front of the fence, other than by
// the order they have run in; two blocks that write the same bytes; a store of the value that was
// there; and memory that nobody has asked to be watched.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

namespace tailops {
namespace emulation {

// Bytes of the watched memory, by their place.
using Bytes = std::vector<std::pair<size_t, char>>;

// Of a block.
struct View {
  std::vector<char> now;   // while others run
  std::vector<char> seen;  // as it was published; what differs from it, the block has written
};

// Of a thread: the two halves of the rule.
struct Order {
  Bytes fenced;  // what the next atomic publishes
  bool has_atomic = false;
};

class Memory {
 public:
  void watch(void* from, size_t size) {
    memory_ = static_cast<char*>(from);
    published_.resize(size);
  }
  void watch_nothing() { watch(nullptr, 0); }

  void begin_launch() {
    read(published_);
    at_start_ = published_;
    late_.clear();
  }
  void end_launch() {
    publish(late_);
    write(published_);
  }

  // A block that starts may have an old view: what others had seen before it.
  void start(View& view, bool is_old) const {
    view.seen = is_old ? at_start_ : published_;
    view.now = view.seen;
  }
  void enter(const View& view) { write(view.now); }
  void leave(View& view) { read(view.now); }
  void finish(View& view, bool is_late) {
    const Bytes written = written_by(view);
    if (is_late) {
      late_.insert(late_.end(), written.begin(), written.end());
    } else {
      publish(written);
    }
  }

  // Of the block that runs, and one of its threads.
  void fence(View& view, Order& order) {
    order.fenced = written_by(view);
    if (!order.has_atomic) return;
    view.seen = published_;
    write(published_);
    for (const auto& [at, byte] : order.fenced) memory_[at] = byte;
  }

  // operation() on what is published, which the block sees.
  template <typename Value, typename Operation>
  Value atomic(Value* of, View& view, Order& order, const Operation& operation) {
    if (!holds(of)) return operation();
    order.has_atomic = true;
    publish(order.fenced);
    for (const auto& [at, byte] : order.fenced) view.seen[at] = byte;
    order.fenced.clear();
    const size_t at = static_cast<size_t>(reinterpret_cast<char*>(of) - memory_);
    if (std::memcmp(of, &view.seen[at], sizeof(Value)) ==
        0) {  // else the block's own store is newer
      std::memcpy(of, &published_[at], sizeof(Value));
    }
    const Value before = operation();
    std::memcpy(&published_[at], of, sizeof(Value));
    std::memcpy(&view.seen[at], of, sizeof(Value));
    return before;
  }

 private:
  bool holds(const void* address) const {
    const auto* const byte = static_cast<const char*>(address);
    return memory_ != nullptr && byte >= memory_ && byte < memory_ + published_.size();
  }
  void read(std::vector<char>& to) const {
    to.resize(published_.size());
    if (!to.empty()) std::memcpy(to.data(), memory_, to.size());
  }
  void write(const std::vector<char>& from) {
    if (!from.empty()) std::memcpy(memory_, from.data(), from.size());
  }
  void publish(const Bytes& bytes) {
    for (const auto& [at, byte] : bytes) published_[at] = byte;
  }

  // By the block that runs, since it last saw what is published.
  Bytes written_by(const View& view) const {
    constexpr size_t kAtOnce = 256;
    Bytes written;
    for (size_t begin = 0; begin < published_.size(); begin += kAtOnce) {
      const size_t end = std::min(begin + kAtOnce, published_.size());
      if (std::memcmp(memory_ + begin, &view.seen[begin], end - begin) == 0) continue;
      for (size_t at = begin; at < end; ++at) {
        if (memory_[at] != view.seen[at]) written.emplace_back(at, memory_[at]);
      }
    }
    return written;
  }

  char* memory_ = nullptr;
  std::vector<char> published_;
  std::vector<char> at_start_;
  Bytes late_;  // of blocks that have finished
};

}  // namespace emulation
}  // namespace tailops
