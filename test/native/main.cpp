#include <cstring>
#include <exception>

#include "check.h"

// native_tests [part of a sentence …]: runs the tests whose sentence contains any of the parts; all without one.
static bool wanted(const char* sentence, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strstr(sentence, argv[i]) != nullptr) return true;
  }
  return argc <= 1;
}

int main(int argc, char** argv) {
  int failed = 0;
  int run = 0;
  for (const NativeTest& test : native_tests()) {
    if (!wanted(test.sentence, argc, argv)) continue;
    const int before = native_failures();
    try {
      test.run();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "  unexpected exception: %s\n", error.what());
      ++native_failures();
    }
    const bool ok = native_failures() == before;
    std::printf("%s %s\n", ok ? "ok    " : "FAILED", test.sentence);
    failed += ok ? 0 : 1;
    ++run;
  }
  std::printf("%d passed, %d failed\n", run - failed, failed);
  return failed == 0 && run > 0 ? 0 : 1;
}
