#include "train/als_row.h"

#include <cmath>
#include <cstdio>
#include <string>

#include "base/error.h"

namespace nigh {

namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

void require(bool fine, const char* name, const char* expected, double actual) {
  if (!fine) throw Error("INVALID_ARGUMENT", std::string(name) + ": expected " + expected + ", got " + number(actual) + ".");
}

}  // namespace

double als_ridge(const AlsParams& params, size_t count, size_t other_side_total) {
  const double weight = static_cast<double>(count) + double{params.unobserved_weight} * static_cast<double>(other_side_total);
  return double{params.regularization} * std::pow(weight, double{params.frequency_exponent});
}

void als_not_positive_definite() {
  throw Error("INVALID_ARGUMENT",
              "The equations of a row are not positive definite, so its factors are not determined: raise regularization, or use "
              "fewer factors.");
}

void als_overflow() {
  throw Error("INVALID_ARGUMENT", "The factors of a row overflow: the confidences or weights are too large for 32-bit floats.");
}

void als_check_params(const AlsParams& params) {
  require(params.factors > 0, "factors", "at least 1", static_cast<double>(params.factors));
  require(std::isfinite(params.unobserved_weight) && params.unobserved_weight >= 0, "unobservedWeight",
          "a finite number of at least 0", params.unobserved_weight);
  require(std::isfinite(params.regularization) && params.regularization >= 0, "regularization", "a finite number of at least 0",
          params.regularization);
  require(std::isfinite(params.frequency_exponent), "frequencyExponent", "a finite number", params.frequency_exponent);
}

void als_check_confidences(const CsrView& matrix, bool dislikes, const char* what) {
  for (size_t row = 0; row < matrix.rows(); ++row) {
    for (size_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
      const float value = matrix.values[e];
      if (std::isfinite(value) && (value > 0 || (dislikes && value < 0))) continue;
      throw Error("INVALID_ARGUMENT", std::string(what) + ": expected finite confidences " + (dislikes ? "other than" : "above") +
                                          " 0, got " + number(value) + " in row " + std::to_string(row) + ", column " +
                                          std::to_string(matrix.columns[e]) + ".");
    }
  }
}

}  // namespace nigh
