// The one exception type of the core. Every failure that a caller can cause or meet leaves the core as nigh::Error with a
// stable code; the binding turns it into the JavaScript error of the same code. Codes are listed with their meaning in
// src/core/errors.ts, which is the single table that users see.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace nigh {

class Error : public std::exception {
 public:
  /// `code` must be a string literal from the table in src/core/errors.ts.
  Error(const char* code, std::string message) : code_(code), message_(std::move(message)) {}

  const char* code() const noexcept { return code_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  const char* code_;
  std::string message_;
};

}  // namespace nigh
