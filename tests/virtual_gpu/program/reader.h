#pragma once

// Goes over the words of a text; what it does not find as it should be is an error with the line.

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "program/tokens.h"
#include "program/types.h"

namespace virtual_gpu {

// A variable's declaration, without its space: `.align 16 .b8 name[64]`.
struct Declaration {
  std::string name;
  Type type = Type::kNone;
  int alignment = 0;
  int64_t bytes = 0;
  bool has_size = true;  // `name[]` has none
};

class Reader {
 public:
  explicit Reader(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool is_at_end() const { return peek().kind == Token::kEnd; }
  std::string next() {
    const std::string text(peek().text);
    if (!is_at_end()) ++at_;
    return text;
  }
  size_t position() const { return at_; }
  void go_back(size_t position) { at_ = position; }
  // The line of the word before.
  int line_read() const { return at_ == 0 ? 1 : tokens_[at_ - 1].line; }
  bool accept(std::string_view text) {
    if (peek().text != text) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view text) {
    if (!accept(text)) fail("expected '" + std::string(text) + "'");
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error("PTX line " + std::to_string(peek().line) + ": " + what + ", at '" +
                             std::string(peek().text) + "'");
  }

  void skip_statement() {
    while (!is_at_end() && !accept(";")) ++at_;
  }
  void skip_line() {
    for (const int line = peek().line; !is_at_end() && peek().line == line;) ++at_;
  }
  // From a '{' to its '}'.
  void skip_braces() {
    expect("{");
    for (int depth = 1; depth > 0; ++at_) {
      if (is_at_end()) fail("a '{' without its '}'");
      if (peek().text == "{") ++depth;
      if (peek().text == "}") --depth;
    }
  }

  int64_t integer() {
    const bool negative = accept("-");
    if (peek().kind != Token::kNumber) fail("expected a number");
    const auto value = static_cast<int64_t>(bits_of(next()));
    return negative ? -value : value;
  }
  Declaration declaration();

 private:
  std::vector<Token> tokens_;
  size_t at_ = 0;
};

inline int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace virtual_gpu
