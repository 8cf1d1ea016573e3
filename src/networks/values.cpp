#include "networks/values.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

namespace imgmill {
namespace {

int64_t Product(Values::Shape::const_iterator first, Values::Shape::const_iterator end) {
  return std::accumulate(first, end, int64_t{1}, std::multiplies<>());
}

Buffer FloatsOf(const Values::Shape& shape) {
  return Buffer(static_cast<size_t>(Product(shape.begin(), shape.end())) * sizeof(float));
}

float* Writable(Buffer& floats) {
  return reinterpret_cast<float*>(floats.data());
}

/// How many numbers stand behind each place of a dimension, and how many times the dimension is gone through.
struct Around {
  Around(const Values::Shape& shape, size_t dimension)
      : before(Product(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(dimension))),
        behind(Product(shape.begin() + static_cast<std::ptrdiff_t>(dimension) + 1, shape.end())) {}
  int64_t before, behind;
};

}  // namespace

Values::Values(Shape shape, Buffer floats)
    : shape_(std::move(shape)), floats_(std::make_shared<const Buffer>(std::move(floats))) {}

Values Values::Zeros(Shape shape) {
  Buffer floats = FloatsOf(shape);
  std::memset(floats.data(), 0, floats.size());
  return {std::move(shape), std::move(floats)};
}

int64_t Values::count() const {
  return Product(shape_.begin(), shape_.end());
}

Values Values::As(Shape shape) const {
  Values other = *this;
  other.shape_ = std::move(shape);
  return other;
}

Values Values::Some(size_t dimension, int64_t first, int64_t count) const {
  Shape shape = shape_;
  shape[dimension] = count;
  const Around around(shape_, dimension);
  Buffer floats = FloatsOf(shape);
  const int64_t all = shape_[dimension] * around.behind, taken = count * around.behind;
  for (int64_t i = 0; i < around.before; ++i)
    std::copy_n(data() + i * all + first * around.behind, taken, Writable(floats) + i * taken);
  return {std::move(shape), std::move(floats)};
}

Values Values::InOrder(const std::vector<size_t>& dimensions) const {
  Shape shape, steps;
  for (const size_t dimension : dimensions) {
    shape.push_back(shape_[dimension]);
    steps.push_back(Around(shape_, dimension).behind);
  }
  Buffer floats = FloatsOf(shape);
  Shape at(shape.size(), 0);
  const int64_t all = count();
  for (int64_t i = 0; i < all; ++i) {
    Writable(floats)[i] = data()[std::inner_product(at.begin(), at.end(), steps.begin(), int64_t{0})];
    for (size_t d = at.size(); d-- > 0;) {
      if (++at[d] < shape[d]) break;
      at[d] = 0;
    }
  }
  return {std::move(shape), std::move(floats)};
}

Values Values::Joined(const std::vector<Values>& parts) {
  Shape shape = parts.front().shape_;
  shape[0] = 0;
  for (const Values& part : parts) shape[0] += part.side(0);
  Buffer floats = FloatsOf(shape);
  float* to = Writable(floats);
  for (const Values& part : parts) to = std::copy_n(part.data(), part.count(), to);
  return {std::move(shape), std::move(floats)};
}

Values Values::Times(const Values& factors, size_t dimension) const {
  const Around around(shape_, dimension);
  Buffer floats = FloatsOf(shape_);
  const int64_t places = shape_[dimension];
  for (int64_t i = 0, all = count(); i < all; ++i)
    Writable(floats)[i] = data()[i] * factors.data()[i / around.behind % places];
  return {shape_, std::move(floats)};
}

Values Values::Times(float factor) const {
  Buffer floats = FloatsOf(shape_);
  std::transform(data(), data() + count(), Writable(floats), [=](float value) { return value * factor; });
  return {shape_, std::move(floats)};
}

}  // namespace imgmill
