// Seeded random numbers that are the same on every platform: xoshiro256** (Blackman and Vigna 2018) seeded by splitmix64.
// <random>'s distributions are not portable, so the few that are needed are written out here.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace nigh {

inline uint64_t splitmix64(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

class Rng {
 public:
  /// Streams with different `stream` numbers of one seed are independent: row i of a matrix can be drawn by any thread.
  explicit Rng(uint64_t seed, uint64_t stream = 0) {
    uint64_t state = seed ^ (stream * 0xd1342543de82ef95ULL);
    for (uint64_t& word : state_) word = splitmix64(state);
  }

  uint64_t next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// Uniform in {0 … bound − 1}; bound > 0. The bias of the multiply-shift is below 2^-32 for 32-bit bounds.
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(((next() >> 32) * static_cast<uint64_t>(bound)) >> 32); }

  /// Standard normal by Box and Muller; the second value of a pair is kept.
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    const double angle = 2.0 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace nigh
