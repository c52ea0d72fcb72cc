#include "napi/errors.h"

#include <new>
#include <stdexcept>

#include "base/error.h"

namespace nigh::binding {

namespace {

Failure described(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const nigh::Error& known) {
    return {known.code(), known.what()};
  } catch (const std::bad_alloc&) {
    return {"OUT_OF_MEMORY", {}};
  } catch (const std::length_error&) {
    // What the containers throw for a size that no allocation could satisfy.
    return {"OUT_OF_MEMORY", {}};
  } catch (const std::exception& other) {
    return {"INTERNAL", other.what()};
  } catch (...) {
    return {"INTERNAL", "An exception of unknown type was thrown."};
  }
}

}  // namespace

Failure failure_of(const std::exception_ptr& error) noexcept {
  try {
    return described(error);
  } catch (...) {
    return {"OUT_OF_MEMORY", {}};  // there was no room for the message
  }
}

Napi::Error to_js_error(Napi::Env env, const Failure& failure) {
  const char* message = failure.message.empty() ? "Memory could not be allocated." : failure.message.c_str();
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, failure.code));
  return error;
}

}  // namespace nigh::binding
