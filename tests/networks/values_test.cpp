// The operations on a layer's numbers, against what a hand computes.
#include "networks/values.h"

#include <doctest/doctest.h>

#include <cstring>
#include <numeric>

using namespace imgmill;

namespace {

/// 0, 1, 2 and on.
Values Counted(Values::Shape shape) {
  size_t count = 1;
  for (const int64_t side : shape) count *= static_cast<size_t>(side);
  Buffer floats(count * sizeof(float));
  auto* const values = reinterpret_cast<float*>(floats.data());
  std::iota(values, values + count, 0.0f);
  return {std::move(shape), std::move(floats)};
}

std::vector<float> All(const Values& values) {
  return {values.data(), values.data() + values.count()};
}

}  // namespace

TEST_CASE("values: parts, orders, joins and products") {
  const Values six = Counted({2, 3});
  CHECK(All(six.Some(0, 1, 1)) == std::vector<float>{3, 4, 5});
  CHECK(All(six.Some(1, 1, 2)) == std::vector<float>{1, 2, 4, 5});
  CHECK(six.Some(1, 1, 2).shape() == Values::Shape{2, 2});
  CHECK(All(six.InOrder({1, 0})) == std::vector<float>{0, 3, 1, 4, 2, 5});
  CHECK(six.InOrder({1, 0}).shape() == Values::Shape{3, 2});
  // Of [2][2][3], [i][j][k] is 6 i + 3 j + k; in the order {2, 0, 1} that comes k first.
  CHECK(All(Counted({2, 2, 3}).InOrder({2, 0, 1})) ==
        std::vector<float>{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11});
  CHECK(All(Values::Joined({six, Values::Zeros({1, 3})})) == std::vector<float>{0, 1, 2, 3, 4, 5, 0, 0, 0});
  CHECK(Values::Joined({six, six}).shape() == Values::Shape{4, 3});
  CHECK(All(six.Times(Counted({2}), 0)) == std::vector<float>{0, 0, 0, 3, 4, 5});
  CHECK(All(six.Times(Counted({3}), 1)) == std::vector<float>{0, 1, 4, 0, 4, 10});
  CHECK(All(six.Times(-2)) == std::vector<float>{-0.0f, -2, -4, -6, -8, -10});
  CHECK(six.As({6}).shape() == Values::Shape{6});
  CHECK_FALSE(Values().defined());
}

TEST_CASE("values are shared, and never change") {
  const Values one = Counted({4});
  const Values other = one;
  CHECK(one.data() == other.data());
  CHECK(one.Times(2).data() != one.data());
  CHECK(All(other) == std::vector<float>{0, 1, 2, 3});
}
