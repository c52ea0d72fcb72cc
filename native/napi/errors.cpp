#include "napi/errors.h"

#include <new>
#include <stdexcept>

#include "base/error.h"

namespace nigh::binding {

Failure failure_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const nigh::Error& known) {
    return {known.code(), known.what()};
  } catch (const std::bad_alloc&) {
    return {"OUT_OF_MEMORY", "Memory could not be allocated."};
  } catch (const std::length_error&) {
    // What the containers throw for a size that no allocation could satisfy.
    return {"OUT_OF_MEMORY", "Memory could not be allocated: the size is out of range."};
  } catch (const std::exception& other) {
    return {"INTERNAL", other.what()};
  } catch (...) {
    return {"INTERNAL", "An exception of unknown type was thrown."};
  }
}

Napi::Error to_js_error(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  error.Set("code", Napi::String::New(env, failure.code));
  return error;
}

}  // namespace nigh::binding
