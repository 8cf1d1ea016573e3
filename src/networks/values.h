// The numbers of a layer, on their way from a weight file into a graph.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "imgmill/memory/pool.h"

namespace imgmill {

/// A dense row-major array of float32. Copies share their numbers, which never change; whatever is made of
/// them is new, and charged to the current pool. Undefined where a layer has none, or something was wrong.
class Values {
 public:
  using Shape = std::vector<int64_t>;

  Values() = default;
  /// @param floats  as many as `shape` has
  Values(Shape shape, Buffer floats);
  /// @throws OutOfMemory
  static Values Zeros(Shape shape);

  bool defined() const noexcept { return floats_ != nullptr; }
  const Shape& shape() const noexcept { return shape_; }
  int64_t side(size_t dimension) const { return shape_[dimension]; }
  int64_t count() const;
  const float* data() const noexcept { return reinterpret_cast<const float*>(floats_->data()); }

  /// The same numbers in another shape of as many.
  Values As(Shape shape) const;
  /// Some of a dimension, from `first` on. @throws OutOfMemory
  Values Some(size_t dimension, int64_t first, int64_t count) const;
  /// With its dimensions in that order, which names each once: {1, 0} transposes. @throws OutOfMemory
  Values InOrder(const std::vector<size_t>& dimensions) const;
  /// One behind the other along the first dimension; all else is alike. @throws OutOfMemory
  static Values Joined(const std::vector<Values>& parts);
  /// Each times the factor for its place in a dimension, of which there are as many. @throws OutOfMemory
  Values Times(const Values& factors, size_t dimension) const;
  /// @throws OutOfMemory
  Values Times(float factor) const;

 private:
  Shape shape_;
  std::shared_ptr<const Buffer> floats_;
};

}  // namespace imgmill
