#include "train/pca.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "train/symmetric_eigen.h"

using namespace nigh;

namespace {

std::vector<float> stretched(size_t rows, size_t dim, double offset, uint64_t seed) {
  std::vector<float> data(rows * dim);
  for (size_t i = 0; i < rows; ++i) {
    Rng rng(seed, i);
    const double common = rng.normal();
    for (size_t d = 0; d < dim; ++d) {
      data[i * dim + d] = static_cast<float>(offset + 4 * common * (d % 2 == 0 ? 1 : -1) + (d + 1.0) * rng.normal() / dim);
    }
  }
  return data;
}

}  // namespace

TEST(
    "PCA: variances and directions are the eigenvalues and eigenvectors of a covariance summed in double, also far from the "
    "origin") {
  for (const size_t dim : {1u, 2u, 7u, 40u}) {
    for (const double offset : {0.0, 500.0}) {
      const size_t rows = 900;
      const std::vector<float> data = stretched(rows, dim, offset, dim);
      std::vector<double> mean(dim);
      for (size_t i = 0; i < rows * dim; ++i) mean[i % dim] += data[i] / double(rows);
      std::vector<double> covariance(dim * dim);
      for (size_t i = 0; i < rows; ++i) {
        for (size_t a = 0; a < dim; ++a) {
          for (size_t b = 0; b < dim; ++b) {
            covariance[a * dim + b] += (data[i * dim + a] - mean[a]) * (data[i * dim + b] - mean[b]) / (rows - 1);
          }
        }
      }
      std::vector<double> values(dim);
      std::vector<double> vectors(dim * dim);
      symmetric_eigen(covariance.data(), dim, values.data(), vectors.data());

      const size_t components = (dim + 1) / 2;
      std::vector<float> center(dim);
      std::vector<double> variances(dim);
      std::vector<float> directions(components * dim);
      std::vector<float> projected(rows * components);
      TaskControl control;
      pca({data.data(), rows, dim}, components, 0, center.data(), variances.data(), directions.data(), projected.data(), control);

      for (size_t d = 0; d < dim; ++d) {
        CHECK(std::abs(center[d] - mean[d]) <= 1e-3);
        CHECK(std::abs(variances[d] - values[d]) <= 1e-3 * values[0]);
      }
      for (size_t c = 0; c < components; ++c) {
        double sum = 0;
        double squares = 0;
        for (size_t i = 0; i < rows; ++i) {
          sum += projected[i * components + c];
          squares += double{projected[i * components + c]} * projected[i * components + c];
        }
        // What the projections vary by is what the component is said to; and they are centred.
        CHECK(std::abs(squares / (rows - 1) - variances[c]) <= 1e-2 * values[0]);
        CHECK(std::abs(sum / rows) <= 1e-2);
      }
      double along = 0;
      for (size_t d = 0; d < dim; ++d) along += directions[d] * vectors[d];
      CHECK(std::abs(std::abs(along) - 1) <= 1e-3);
    }
  }
}

TEST("PCA: the same bytes on one thread and on all; too few rows and too many components are refused") {
  const std::vector<float> data = stretched(3000, 24, 1, 8);
  const auto run = [&](size_t rows, size_t components, size_t lanes) {
    std::vector<float> mean(24);
    std::vector<double> variances(24);
    std::vector<float> directions(components * 24);
    std::vector<float> projected(rows * components);
    TaskControl control;
    pca({data.data(), rows, 24}, components, lanes, mean.data(), variances.data(), directions.data(), projected.data(), control);
    projected.insert(projected.end(), directions.begin(), directions.end());
    return projected;
  };
  CHECK(run(3000, 5, 1) == run(3000, 5, 0));
  for (const auto& [rows, components] : {std::pair<size_t, size_t>{1, 2}, {10, 25}, {10, 0}}) {
    std::string code;
    try {
      run(rows, components, 1);
    } catch (const Error& error) {
      code = error.code();
    }
    CHECK(code == "INVALID_ARGUMENT");
  }
}
