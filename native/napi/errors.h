// Failures on their way to JavaScript: whatever a native function throws becomes a JavaScript Error with a stable `code`.
#pragma once

#include <napi.h>

#include <exception>
#include <string>
#include <utility>

namespace nigh::binding {

/// What is kept of an exception between the thread that met it and the JavaScript thread.
struct Failure {
  const char* code = nullptr;  // a literal from the table in src/core/errors.ts
  std::string message;         // empty for a failed allocation, whose message must not need one
};

/// nigh::Error keeps its code, failed allocations become OUT_OF_MEMORY, anything else INTERNAL.
Failure failure_of(const std::exception_ptr& error) noexcept;

/// A JavaScript Error with `code`.
Napi::Error to_js_error(Napi::Env env, const Failure& failure);

/// Calls body and lets nothing but JavaScript errors out of it.
template <class Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js_error(env, failure_of(std::current_exception()));
  }
}

}  // namespace nigh::binding
