#include "driver/fat_binary.h"

#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "driver/decompress.h"
#include "machine/settings.h"

namespace virtual_gpu {
namespace {

// What the host's code registers, with a pointer to the fat binary.
struct Wrapper {
  static constexpr uint32_t kMagic = 0x466243b1;

  uint32_t magic, version;
  const void* data;
};

// A header, and entries one after another: each with its own header.
struct FatHeader {
  static constexpr uint32_t kMagic = 0xba55ed50;

  uint32_t magic;
  uint16_t version, header_bytes;
  uint64_t bytes;  // of the entries
};

struct EntryHeader {
  static constexpr uint16_t kPtx = 1;
  static constexpr uint64_t kLz4 = 0x2000;
  static constexpr uint64_t kZstd = 0x8000;

  uint16_t kind, version;
  uint32_t header_bytes;
  uint64_t bytes;  // with padding
  uint32_t compressed_bytes;
  uint32_t unknown[2];
  uint32_t architecture;
  uint64_t unknown_too;
  uint64_t flags;
  uint64_t unknown_as_well;
  uint64_t plain_bytes;
};
static_assert(sizeof(EntryHeader) == 64);

template <typename Header>
Header read(const unsigned char* data) {
  Header header;
  std::memcpy(&header, data, sizeof header);
  return header;
}

std::string text_of(const unsigned char* entry, const EntryHeader& header) {
  const unsigned char* const data = entry + header.header_bytes;
  if ((header.flags & EntryHeader::kLz4) != 0) {
    return decompress_lz4(data, header.compressed_bytes, header.plain_bytes);
  }
  if ((header.flags & EntryHeader::kZstd) != 0) {
    return decompress_zstd(data, header.compressed_bytes, header.plain_bytes);
  }
  return std::string(reinterpret_cast<const char*>(data), header.bytes);
}

std::string best_text(const unsigned char* data) {
  const auto all = read<FatHeader>(data);
  const unsigned char* best = nullptr;
  EntryHeader best_header{};
  for (uint64_t at = all.header_bytes; at < all.header_bytes + all.bytes;) {
    const auto header = read<EntryHeader>(data + at);
    const bool is_known = header.kind == EntryHeader::kPtx &&
                          static_cast<long>(header.architecture) <= settings().capability;
    if (is_known && (best == nullptr || header.architecture > best_header.architecture)) {
      best = data + at;
      best_header = header;
    }
    at += header.header_bytes + header.bytes;
  }
  return best == nullptr ? "" : text_of(best, best_header);
}

}  // namespace

std::string text_of_image(const void* image) {
  const auto* const data = static_cast<const unsigned char*>(image);
  const auto magic = read<uint32_t>(data);
  if (magic == Wrapper::kMagic) return text_of_image(read<Wrapper>(data).data);
  std::string text;
  if (magic == FatHeader::kMagic) {
    text = best_text(data);
  } else if (std::memcmp(data, "\177ELF", 4) != 0) {
    text = reinterpret_cast<const char*>(data);
  }
  // A text in a fat binary ends with a zero, or with several that fill it up.
  text.resize(std::strlen(text.c_str()));
  return text;
}

}  // namespace virtual_gpu
