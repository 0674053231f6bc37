#include "program/tokens.h"

#include <cctype>
#include <cstdint>
#include <cstdlib>

namespace virtual_gpu {
namespace {

bool is_of_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '.' ||
         c == '%';
}

}  // namespace

std::vector<Token> tokens_of(std::string_view text, int first_line) {
  std::vector<Token> tokens;
  int line = first_line;
  size_t at = 0;
  const auto has = [&](size_t index, char c) { return index < text.size() && text[index] == c; };
  const auto add = [&](size_t end, Token::Kind kind) {
    tokens.push_back({text.substr(at, end - at), line, kind});
    at = end;
  };
  while (at < text.size() && text[at] != '\0') {
    const char c = text[at];
    size_t end = at + 1;
    if (c == '\n') {
      ++line;
      ++at;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      ++at;
    } else if (c == '/' && has(at + 1, '/')) {
      while (at < text.size() && text[at] != '\n') ++at;
    } else if (c == '/' && has(at + 1, '*')) {
      for (at += 2; at < text.size() && !(text[at] == '*' && has(at + 1, '/')); ++at) {
        line += text[at] == '\n';
      }
      at += 2;
    } else if (c == '"') {
      while (end < text.size() && text[end] != '"') ++end;
      add(end + 1, Token::kString);
    } else if (std::isdigit(static_cast<unsigned char>(c))) {
      while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end]))) ++end;
      add(end, Token::kNumber);
    } else if (is_of_word(c)) {
      // `shared::cta` is a word.
      for (end = at; end < text.size(); ++end) {
        if (is_of_word(text[end])) continue;
        if (!(text[end] == ':' && has(end + 1, ':'))) break;
        ++end;
      }
      add(end, Token::kWord);
    } else {
      add(end, Token::kSign);
    }
  }
  tokens.push_back({"", line, Token::kEnd});
  return tokens;
}

uint64_t bits_of(std::string_view number) {
  const std::string text(number);
  const bool is_float = text.size() > 2 && text[0] == '0' &&
                        ((text.size() == 10 && (text[1] == 'f' || text[1] == 'F')) ||
                         (text.size() == 18 && (text[1] == 'd' || text[1] == 'D')));
  if (is_float) return std::strtoull(text.c_str() + 2, nullptr, 16);
  const bool is_binary = text.size() > 2 && text[0] == '0' && (text[1] == 'b' || text[1] == 'B');
  if (is_binary) return std::strtoull(text.c_str() + 2, nullptr, 2);
  return std::strtoull(text.c_str(), nullptr, 0);
}

}  // namespace virtual_gpu
