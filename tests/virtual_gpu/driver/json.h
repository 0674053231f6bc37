#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace virtual_gpu {

inline std::string json(int64_t number) { return std::to_string(number); }

// Of names and messages: what is no text of its own is left out.
inline std::string json(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) >= ' ') quoted += c;
  }
  return quoted + '"';
}

inline std::string json_list(const std::vector<std::string>& values) {
  std::string list = "[";
  for (const std::string& value : values) {
    if (list.size() > 1) list += ", ";
    list += value;
  }
  return list + "]";
}

class JsonObject {
 public:
  // A value that is JSON.
  JsonObject& add(const std::string& name, const std::string& value) {
    members_.push_back(json(name) + ": " + value);
    return *this;
  }
  std::string text() const {
    const std::string list = json_list(members_);
    return "{" + list.substr(1, list.size() - 2) + "}";
  }

 private:
  std::vector<std::string> members_;
};

}  // namespace virtual_gpu
