#include <chrono>
#include <cstring>
#include <exception>

#include "check.h"

// native_tests [part of a sentence]...: runs the tests whose sentence contains one of the parts; without a part, all. A part that
// no test has is a failure: the sentence it was taken from was reworded.
int main(int argc, char** argv) {
  const std::vector<const char*> parts(argv + 1, argv + argc);
  std::vector<bool> used(parts.size(), false);
  const auto wanted = [&](const char* sentence) {
    bool found = parts.empty();
    for (size_t i = 0; i < parts.size(); ++i) {
      if (std::strstr(sentence, parts[i]) == nullptr) continue;
      used[i] = true;
      found = true;
    }
    return found;
  };

  int passed = 0;
  int failed = 0;
  for (const NativeTest& test : native_tests()) {
    if (!wanted(test.sentence)) continue;
    const int before = native_failures();
    const auto began = std::chrono::steady_clock::now();
    try {
      test.run();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "  unexpected exception: %s\n", error.what());
      ++native_failures();
    }
    const bool ok = native_failures() == before;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%s %6.2f s  %s\n", ok ? "ok    " : "FAILED", took.count(), test.sentence);
    ++(ok ? passed : failed);
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if (used[i]) continue;
    std::printf("FAILED no test has \"%s\" in its sentence\n", parts[i]);
    ++failed;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}
