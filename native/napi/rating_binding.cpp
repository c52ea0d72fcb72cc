#include "napi/rating_binding.h"

#include "base/csr_transpose.h"
#include "napi/train_arguments.h"
#include "train/rating_als.h"
#include "train/rating_sgd.h"

namespace nigh::binding {

namespace {

// users, items, userBiases, itemBiases
RatingFactors rating_factors(TrainArguments& arguments, const CsrView& ratings, size_t factors) {
  RatingFactors out;
  out.users = {arguments.floats("users", ratings.rows() * factors), ratings.rows(), factors};
  out.items = {arguments.floats("items", ratings.cols * factors), ratings.cols, factors};
  out.user_biases = arguments.floats("userBiases", ratings.rows());
  out.item_biases = arguments.floats("itemBiases", ratings.cols);
  return out;
}

// ratingSgd(ratings, factors, epochs, learningRate, regularization, initStddev, seed, threads, mean, sigmoid, low, span,
// …factors, control | null)
Napi::Value rating_sgd_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView ratings = arguments.csr("ratings");
    const size_t factors = arguments.positive("factors");
    RatingSgdParams params;
    params.epochs = arguments.integer("epochs");
    params.learning_rate = arguments.number("learningRate");
    params.regularization = arguments.number("regularization");
    params.init_stddev = arguments.number("initStddev");
    params.seed = arguments.seed();
    params.max_lanes = arguments.integer("threads");
    params.mean = arguments.number("mean");
    params.sigmoid = arguments.flag("sigmoid");
    params.low = arguments.number("low");
    params.span = arguments.number("span");
    const RatingFactors out = rating_factors(arguments, ratings, factors);
    return arguments.start([=](TaskControl& control) {
      check_csr(ratings, "ratings");
      const OwnedCsr transposed = transpose(ratings);
      rating_sgd(ratings, transposed.view(), params, out, control);
    });
  });
}

// ratingAls(ratings, factors, iterations, regularization, initStddev, seed, threads, mean, …factors, control | null)
Napi::Value rating_als_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView ratings = arguments.csr("ratings");
    const size_t factors = arguments.positive("factors");
    RatingAlsParams params;
    params.iterations = arguments.integer("iterations");
    params.regularization = arguments.number("regularization");
    params.init_stddev = arguments.number("initStddev");
    params.seed = arguments.seed();
    params.max_lanes = arguments.integer("threads");
    params.mean = arguments.number("mean");
    const RatingFactors out = rating_factors(arguments, ratings, factors);
    return arguments.start([=](TaskControl& control) {
      check_csr(ratings, "ratings");
      const OwnedCsr transposed = transpose(ratings);
      rating_als(ratings, transposed.view(), params, out, control);
    });
  });
}

// ratingFoldIn(ratings, weights | null, items data, rows, dim, itemBiases, mean, regularization, threads, users, userBiases,
// control | null)
Napi::Value rating_fold_in_task(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    TrainArguments arguments(info);
    const CsrView ratings = arguments.csr("ratings");
    const float* weights = arguments.optional_floats("weights", ratings.entries());
    RatingFoldIn model;
    model.items = arguments.matrix("items");
    if (ratings.cols != model.items.rows) wrong_argument("ratings", "one column for every row of items");
    model.item_biases = arguments.floats("itemBiases", model.items.rows);
    model.mean = arguments.number("mean");
    model.regularization = arguments.number("regularization");
    const size_t threads = arguments.integer("threads");
    const MatrixView<float> users{arguments.floats("users", ratings.rows() * model.items.dim), ratings.rows(), model.items.dim};
    float* user_biases = arguments.floats("userBiases", ratings.rows());
    return arguments.start([=](TaskControl& control) {
      check_csr(ratings, "ratings");
      rating_fold_in(ratings, weights, model, threads, users, user_biases, control);
    });
  });
}

}  // namespace

void export_rating_training(Napi::Env env, Napi::Object exports) {
  exports.Set("ratingSgd", Napi::Function::New<rating_sgd_task>(env, "ratingSgd"));
  exports.Set("ratingAls", Napi::Function::New<rating_als_task>(env, "ratingAls"));
  exports.Set("ratingFoldIn", Napi::Function::New<rating_fold_in_task>(env, "ratingFoldIn"));
}

}  // namespace nigh::binding
