#include "driver/stream.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "machine/settings.h"

namespace virtual_gpu {
namespace {

// Streams and their threads are never destroyed with the process: programs end while work is left.
std::shared_ptr<Stream>& legacy() {
  static auto* const one = new auto(std::make_shared<Stream>(Stream::kLegacy, 0));
  return *one;
}

std::mutex& issue_lock() {
  static auto* const one = new std::mutex;
  return *one;
}

// Those that the program has destroyed, and that may have something left to do.
std::vector<std::shared_ptr<Stream>>& closed() {
  static auto* const all = new std::vector<std::shared_ptr<Stream>>;
  return *all;
}

// All but the legacy one.
std::vector<std::shared_ptr<Stream>> other_streams() {
  std::vector<std::shared_ptr<Stream>> all = streams().all();
  std::erase_if(closed(), [](const auto& stream) { return stream->is_done(); });
  all.insert(all.end(), closed().begin(), closed().end());
  return all;
}

// CU_STREAM_PER_THREAD, of each thread that has used it.
std::shared_ptr<Stream> own_stream() {
  thread_local CUstream handle = nullptr;
  if (handle == nullptr) {
    handle = streams().add(std::make_shared<Stream>(Stream::kBlocking, 0));
  }
  return streams().find(handle);
}

void lag(std::minstd_rand& random) {
  const long most = settings().delay_us;
  if (most <= 0) return;
  std::this_thread::sleep_for(std::chrono::microseconds(static_cast<long>(random()) % most));
}

}  // namespace

void Stream::work() {
  static std::atomic<unsigned> threads{0};
  std::minstd_rand random(static_cast<unsigned>(settings().seed) + 7919 * ++threads);
  std::unique_lock guard(lock_);
  while (true) {
    more_.wait(guard, [this] { return !tasks_.empty() || is_closed_; });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    guard.unlock();
    lag(random);
    task();
    task = nullptr;  // what it holds is let go before anybody learns that it is done
    guard.lock();
    ++finished_;
    done_.notify_all();
  }
}

uint64_t Stream::add(const std::shared_ptr<Stream>& self, Task task) {
  const std::lock_guard guard(lock_);
  if (!has_thread_) {
    has_thread_ = true;
    std::thread([self] { self->work(); }).detach();
  }
  tasks_.push_back(std::move(task));
  more_.notify_one();
  return ++added_;
}

uint64_t Stream::added() {
  const std::lock_guard guard(lock_);
  return added_;
}

void Stream::wait(uint64_t number) {
  std::unique_lock guard(lock_);
  done_.wait(guard, [this, number] { return finished_ >= number; });
}

bool Stream::is_done() {
  const std::lock_guard guard(lock_);
  return finished_ == added_;
}

void Stream::close() {
  const std::lock_guard guard(lock_);
  is_closed_ = true;
  more_.notify_one();
}

Handles<Stream, CUstream>& streams() {
  static auto* const all = new Handles<Stream, CUstream>;
  return *all;
}

bool close_stream(CUstream handle) {
  const std::lock_guard guard(issue_lock());
  const auto stream = streams().remove(handle);
  if (!stream) return false;
  closed().push_back(stream);
  stream->close();
  return true;
}

std::shared_ptr<Stream> stream_of(CUstream handle) {
  if (handle == nullptr || handle == CU_STREAM_LEGACY) return legacy();
  if (handle == CU_STREAM_PER_THREAD) return own_stream();
  return streams().find(handle);
}

uint64_t enqueue(const std::shared_ptr<Stream>& stream, Task task) {
  const std::lock_guard guard(issue_lock());
  std::vector<std::pair<std::shared_ptr<Stream>, uint64_t>> before;
  const auto comes_after = [&before](const std::shared_ptr<Stream>& other) {
    if (!other->is_done()) before.emplace_back(other, other->added());
  };
  if (stream->kind() == Stream::kBlocking) comes_after(legacy());
  if (stream->kind() == Stream::kLegacy) {
    for (const auto& other : other_streams()) {
      if (other->kind() == Stream::kBlocking) comes_after(other);
    }
  }
  if (before.empty()) return stream->add(stream, std::move(task));
  return stream->add(stream, [before = std::move(before), task = std::move(task)] {
    for (const auto& [other, number] : before) other->wait(number);
    task();
  });
}

void wait_for(const std::shared_ptr<Stream>& stream) {
  // The legacy stream is done when the blocking ones are.
  const bool is_legacy = stream->kind() == Stream::kLegacy;
  stream->wait(is_legacy ? enqueue(stream, [] {}) : stream->added());
}

bool is_done(const std::shared_ptr<Stream>& stream) {
  if (stream->kind() != Stream::kLegacy) return stream->is_done();
  const std::lock_guard guard(issue_lock());
  const auto others = other_streams();
  return stream->is_done() && std::all_of(others.begin(), others.end(), [](const auto& other) {
           return other->kind() == Stream::kNonBlocking || other->is_done();
         });
}

void wait_for_all() {
  std::vector<std::shared_ptr<Stream>> all;
  {
    const std::lock_guard guard(issue_lock());
    all = other_streams();
  }
  for (const auto& stream : all) stream->wait(stream->added());
  legacy()->wait(legacy()->added());
}

}  // namespace virtual_gpu
