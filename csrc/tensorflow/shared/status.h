#pragma once

// Where TensorFlow calls us. It is compiled without exceptions: one that reached it would end the
// process.

#include <string>

#include "absl/status/status.h"
#include "core/thrown.h"

namespace tailops {

// What body returns; or what it throws, as a status that names the op, and, where memory has run
// out, what it was for.
template <typename Body, typename Purpose>
absl::Status status_of(const std::string& op, const Body& body, const Purpose& purpose) {
  try {
    try {
      return body();
    } catch (...) {
      return report_thrown([&](Problem problem, const std::string& text) {
        switch (problem) {
          case Problem::kArgument:
            return absl::InvalidArgumentError(op + ": " + text);
          case Problem::kMemory:
            return absl::ResourceExhaustedError(op + ": out of memory (" + text + ") " + purpose());
          default:
            return absl::InternalError(op + ": " + text);
        }
      });
    }
  } catch (...) {  // there was none for the message either
    return absl::ResourceExhaustedError("out of memory");
  }
}

template <typename Body>
absl::Status status_of(const std::string& op, const Body& body) {
  return status_of(op, body, [] { return "for its attributes and shapes"; });
}

}  // namespace tailops
