// The smallest test harness that names what failed: TEST("a sentence") { CHECK(condition); } and one main in main.cpp.
#pragma once

#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

struct NativeTest {
  const char* sentence;
  void (*run)();
};

inline std::vector<NativeTest>& native_tests() {
  static std::vector<NativeTest> tests;
  return tests;
}
inline int& native_failures() {
  static int failures = 0;
  return failures;
}
inline bool register_native_test(const char* sentence, void (*run)()) {
  native_tests().push_back({sentence, run});
  return true;
}

/// How often a test goes round: ThreadSanitizer is some thirty times slower, and what it looks for shows in the first rounds.
constexpr int rounds(int usual) {
#if defined(__SANITIZE_THREAD__)
  return usual / 4;
#else
  return usual;
#endif
}

#define NIGH_JOIN_(a, b) a##b
#define NIGH_JOIN(a, b) NIGH_JOIN_(a, b)
#define TEST_(sentence, name)                                                            \
  static void name();                                                                    \
  static const bool NIGH_JOIN(name, _registered) = register_native_test(sentence, name); \
  static void name()
#define TEST(sentence) TEST_(sentence, NIGH_JOIN(native_test_, __LINE__))

#define CHECK(condition)                                                            \
  do {                                                                              \
    if (!(condition)) {                                                             \
      std::fprintf(stderr, "  %s:%d: CHECK(%s)\n", __FILE__, __LINE__, #condition); \
      ++native_failures();                                                          \
    }                                                                               \
  } while (false)

#define CHECK_NEAR(actual, expected, tolerance)                                                                  \
  do {                                                                                                           \
    const double nigh_a = (actual), nigh_e = (expected);                                                         \
    if (!(std::fabs(nigh_a - nigh_e) <= (tolerance))) {                                                          \
      std::fprintf(stderr, "  %s:%d: %s is %.9g, expected %.9g\n", __FILE__, __LINE__, #actual, nigh_a, nigh_e); \
      ++native_failures();                                                                                       \
    }                                                                                                            \
  } while (false)

/// Checks that the statement throws nigh::Error with this code.
#define CHECK_THROWS(statement, expected_code)                                                                      \
  do {                                                                                                              \
    std::string nigh_code = "nothing thrown";                                                                       \
    try {                                                                                                           \
      statement;                                                                                                    \
    } catch (const nigh::Error& error) {                                                                            \
      nigh_code = error.code();                                                                                     \
    }                                                                                                               \
    if (nigh_code != (expected_code)) {                                                                             \
      std::fprintf(stderr, "  %s:%d: %s gave %s, expected %s\n", __FILE__, __LINE__, #statement, nigh_code.c_str(), \
                   expected_code);                                                                                  \
      ++native_failures();                                                                                          \
    }                                                                                                               \
  } while (false)
