#include "driver/decompress.h"

#include <dlfcn.h>

#include <stdexcept>

namespace virtual_gpu {
namespace {

// A block of LZ4: so many bytes as they are, then so many that were there before, and again.
class Lz4 {
 public:
  Lz4(const unsigned char* data, size_t bytes, size_t size) : at_(data), end_(data + bytes) {
    text_.reserve(size);
  }

  std::string text() {
    while (at_ < end_) {
      const unsigned lengths = byte();
      for (size_t left = length(lengths >> 4); left > 0; --left) {
        text_.push_back(static_cast<char>(byte()));
      }
      if (at_ == end_) break;
      size_t back = byte();
      back |= static_cast<size_t>(byte()) << 8;
      if (back == 0 || back > text_.size()) fail();
      for (size_t left = length(lengths & 15) + 4; left > 0; --left) {
        text_.push_back(text_[text_.size() - back]);
      }
    }
    return std::move(text_);
  }

 private:
  [[noreturn]] static void fail() { throw std::runtime_error("LZ4: the data is not whole"); }

  unsigned byte() {
    if (at_ == end_) fail();
    return *at_++;
  }
  size_t length(size_t first) {
    if (first < 15) return first;
    unsigned more = 0;
    do {
      more = byte();
      first += more;
    } while (more == 255);
    return first;
  }

  const unsigned char* at_;
  const unsigned char* end_;
  std::string text_;
};

using Decompress = size_t (*)(void*, size_t, const void*, size_t);

Decompress zstd() {
  // Every system has the library, and not every one its headers.
  static const auto function = [] {
    void* const library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
    return reinterpret_cast<Decompress>(library == nullptr ? nullptr
                                                           : dlsym(library, "ZSTD_decompress"));
  }();
  return function;
}

}  // namespace

std::string decompress_lz4(const unsigned char* data, size_t bytes, size_t size) {
  std::string text = Lz4(data, bytes, size).text();
  if (text.size() != size) throw std::runtime_error("LZ4: it is of another size");
  return text;
}

std::string decompress_zstd(const unsigned char* data, size_t bytes, size_t size) {
  if (zstd() == nullptr) throw std::runtime_error("zstd: libzstd.so.1 is not here");
  std::string text(size, '\0');
  if (zstd()(text.data(), size, data, bytes) != size) {
    throw std::runtime_error("zstd: the data is not whole");
  }
  return text;
}

}  // namespace virtual_gpu
