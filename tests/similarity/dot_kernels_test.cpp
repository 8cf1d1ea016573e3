// Dot products: every kernel against the plain loop, and that one and all of them against std::fma, to the
// bit.
#include "similarity/dot_kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include "imgmill/similarity/cosine.h"
#include "similarity/dot_queries.h"

using namespace imgmill;

namespace {

/// Calls `visit` with each kernel of this machine chosen, and chooses the best again.
template <typename Visit>
void WithEachKernel(const Visit& visit) {
  const std::string_view best = BestDotKernel().name;
  for (const DotKernel& kernel : AvailableDotKernels()) {
    CAPTURE(kernel.name);
    REQUIRE(ChooseDotKernel(kernel.name));
    visit();
  }
  REQUIRE(ChooseDotKernel(best));
}

/// Equal bits, or no numbers: which bits these have, IEEE 754 leaves open.
bool Same(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

/// As cosine.h words it.
float Expected(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> sums(4, 0.0f);
  for (size_t i = 0; i < (a.size() + 3) / 4 * 4; ++i)
    sums[i % 4] = i < a.size() ? std::fma(a[i], b[i], sums[i % 4]) : std::fma(0.0f, 0.0f, sums[i % 4]);
  const float even = sums[0] + sums[2], odd = sums[1] + sums[3];
  return even + odd;
}

/// What a kernel finds of one row and one query.
float DotOf(const std::vector<float>& row, const std::vector<float>& query) {
  DotQueries queries(1, row.size());
  queries.Put(0, query.data());
  const float* const rows[] = {row.data()};
  float dot = 0;
  queries.DotsWith(rows, 1, 0, 1, &dot);
  return dot;
}

/// One fused multiply-add: the sum `lane` is first `sum`, and the other ones stay 0.
struct OneFused {
  OneFused(float a, float b, float sum, size_t lane) : row(8, 0.0f), query(8, 0.0f) {
    row[lane] = sum, query[lane] = 1;
    row[4 + lane] = a, query[4 + lane] = b;
  }
  std::vector<float> row, query;
};

/// A float of any size, whose last bits are often all zeros or ones.
float Awkward(std::mt19937& random, uint32_t least_exponent, uint32_t exponents) {
  const auto drawn = [&] { return static_cast<uint32_t>(random()); };
  const uint32_t low = (uint32_t{1} << drawn() % 24) - 1;
  uint32_t mantissa = drawn() % 2 == 0 ? drawn() & ~low : drawn() | low;
  if (drawn() % 4 == 0) mantissa ^= 1;
  const uint32_t sign = drawn() << 31, exponent = least_exponent + drawn() % exponents;
  return std::bit_cast<float>(sign | exponent << 23 | (mantissa & 0x7fffff));
}

/// A product just short of half the last place of a sum: by so little that a double does not hold both.
OneFused CloseToMiddle(std::mt19937& random, size_t lane) {
  const bool subnormal = random() % 4 == 0;  // whose last place is 2^-149
  const int exponent = subnormal ? -126 : static_cast<int>(random() % 200) - 100;
  const float sum = Awkward(random, static_cast<uint32_t>(subnormal ? 0 : exponent + 127), 1);
  const float short_by = std::ldexp(static_cast<float>(1 + random() % 300), -23);  // squared
  const float a = std::ldexp(1 + short_by, -80), b = std::ldexp(1 - short_by, exponent - 24 + 80);
  return {random() % 2 == 0 ? a : -a, b, sum, lane};
}

}  // namespace

TEST_CASE("this machine has dot kernels of different names, and the best is used") {
  const std::vector<DotKernel> kernels = AvailableDotKernels();
  REQUIRE_FALSE(kernels.empty());
  std::set<std::string_view> names;
  for (const DotKernel& kernel : kernels) CHECK(names.insert(kernel.name).second);
  CHECK(BestDotKernel().name == kernels.front().name);
  CHECK_FALSE(ChooseDotKernel("no such name"));
  CHECK(BestDotKernel().name == kernels.front().name);
  CHECK(ChooseDotKernel(kernels.back().name));
  CHECK(BestDotKernel().name == kernels.back().name);
  CHECK(ChooseDotKernel(kernels.front().name));
}

TEST_CASE("every dot kernel agrees with the plain loop to the bit, at every length up to 300") {
  constexpr size_t kRows = 9, kQueries = 17;
  WithEachKernel([] {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> number(-1, 1);
    for (size_t n = 1; n <= 300; ++n) {
      std::vector<float> row(kRows * n), queries(kQueries * n);
      for (float& value : row) value = number(random);
      for (float& value : queries) value = number(random);
      const float* rows[kRows];
      for (size_t r = 0; r < kRows; ++r) rows[r] = &row[r * n];
      DotQueries put(kQueries, n);
      for (size_t q = 0; q < kQueries; ++q) put.Put(q, &queries[q * n]);
      float dots[kRows * kQueries];
      put.DotsWith(rows, kRows, 0, kQueries, dots);
      size_t same = 0;
      for (size_t at = 0; at < kRows * kQueries; ++at)
        same += Same(DotScalar(rows[at / kQueries], &queries[at % kQueries * n], n), dots[at]) ? 1 : 0;
      CAPTURE(n);
      CHECK(same == kRows * kQueries);
    }
  });
  // By hand: 1*4 + 2*5 + 3*6.
  const float a[] = {1, 2, 3}, b[] = {4, 5, 6};
  CHECK(DotScalar(a, b, 3) == 32.0f);
}

TEST_CASE(
    "every dot kernel writes what it is asked and nothing else, at all small counts, from any query on") {
  constexpr size_t kMostRows = 17, kMostQueries = 18;
  const float untouched = 1e30f;
  WithEachKernel([&] {
    std::mt19937 random(2);
    std::uniform_real_distribution<float> number(-1, 1);
    for (const size_t n : {1u, 15u, 33u}) {  // so that rows start anywhere
      std::vector<float> row(kMostRows * n), queries(kMostQueries * n);
      for (float& value : row) value = number(random);
      for (float& value : queries) value = number(random);
      const float* rows[kMostRows];
      for (size_t r = 0; r < kMostRows; ++r) rows[r] = &row[(kMostRows - 1 - r) * n];
      DotQueries put(kMostQueries, n);
      for (size_t q = 0; q < kMostQueries; ++q) put.Put(q, &queries[q * n]);
      for (size_t row_count = 0; row_count <= kMostRows; ++row_count) {
        for (size_t first = 0; first < 6; ++first) {
          for (size_t count = 1; first + count <= kMostQueries; ++count) {
            std::vector<float> expected(row_count * count + 1, untouched), dots = expected;
            for (size_t at = 0; at < row_count * count; ++at)
              expected[at] = DotScalar(rows[at / count], &queries[(first + at % count) * n], n);
            put.DotsWith(rows, row_count, first, count, dots.data());
            CAPTURE(n);
            CAPTURE(row_count);
            CAPTURE(first);
            CAPTURE(count);
            CHECK(std::equal(dots.begin(), dots.end(), expected.begin(), Same));
          }
        }
      }
    }
  });
}

TEST_CASE("products are fused with the sum: what rounding twice makes of a middle does not happen") {
  const float tiny = std::ldexp(1.0f, -23), least = std::numeric_limits<float>::denorm_min();
  const float most = std::numeric_limits<float>::max(), infinite = std::numeric_limits<float>::infinity();
  struct Case {
    float a, b, sum, expected;
  };
  // By hand. `middle` is a little less than half of 1's last place, `tiny`: 2^-24 (1 - 2^-46). In doubles its
  // sum with a float at 1 is rounded to the middle of two floats, and from there to the even one.
  const float up = 1 + tiny, middle = std::ldexp(1 - tiny, -24), beyond = std::ldexp(1 + tiny, -24);
  const Case cases[] = {
      {up, middle, 1 + tiny, 1 + tiny},
      {-up, middle, -1 - tiny, -1 - tiny},
      {up, beyond, 1, 1 + tiny},
      {up, -middle, 1 + 2 * tiny, 1 + 2 * tiny},
      {up, -middle, 1 + tiny, 1 + tiny},
      {up, -beyond, 1 + 2 * tiny, 1 + tiny},
      {up, std::ldexp(1.0f, -24), 1, 1 + tiny},  // 2^-24 (1 + 2^-23): beyond the middle
      {1, std::ldexp(1.0f, -24), 1, 1},          // the middle itself: to the even one
      {1, std::ldexp(1.0f, -24), 1 + tiny, 1 + 2 * tiny},
      {3, std::ldexp(1.0f, -64), 0, std::ldexp(3.0f, -64)},
      {least, 0.5f, least, 2 * least},  // 1.5 of the least: to the even one
      {least, 0.5f, 2 * least, 2 * least},
      {least, 0.75f, 0, least},
      {least, least, least, least},
      {least, least, 1, 1},
      {-least, least, least, least},
      {most, most, 0, infinite},
      {most, -most, 0, -infinite},
      {most, 1, most, infinite},
      {most, -1, most, 0},
      {most, 2, -most, most},  // the product alone has no float
      {infinite, 1, 1, infinite},
      {infinite, 1, -infinite, NAN},
      {infinite, 0, 1, NAN},
      {NAN, 1, 1, NAN},
  };
  size_t twice = 0;  // where rounding to a double first makes a difference
  for (const Case& each : cases) {
    const double sum =
        static_cast<double>(each.a) * static_cast<double>(each.b) + static_cast<double>(each.sum);
    twice += Same(static_cast<float>(sum), each.expected) ? 0 : 1;
    CHECK(Same(std::fma(each.a, each.b, each.sum), each.expected));
  }
  CHECK(twice >= 3);
  WithEachKernel([&] {
    for (size_t i = 0; i < std::size(cases); ++i) {
      const Case& each = cases[i];
      CAPTURE(i);
      for (size_t lane = 0; lane < 4; ++lane) {
        const OneFused fused(each.a, each.b, each.sum, lane);
        CHECK(Same(DotOf(fused.row, fused.query), each.expected));
        CHECK(Same(DotScalar(fused.row.data(), fused.query.data(), 8), each.expected));
      }
    }
  });
}

TEST_CASE("every dot kernel agrees with std::fma to the bit on numbers of all sizes and close to a middle") {
  WithEachKernel([&] {
    size_t twice = 0, subnormal = 0;
    std::mt19937 random(3);
    for (size_t i = 0; i < 50'000; ++i) {
      const size_t lane = i % 4;
      const auto awkward = [&] { return Awkward(random, 90, 40); };
      const OneFused fused = i % 2 == 0   ? CloseToMiddle(random, lane)
                             : i % 8 == 1 ? OneFused(Awkward(random, 60, 12), Awkward(random, 52, 16),
                                                     Awkward(random, 0, 4), lane)
                                          : OneFused(awkward(), awkward(), awkward(), lane);
      const float a = fused.row[4 + lane], b = fused.query[4 + lane], sum = fused.row[lane];
      const float expected = std::fma(a, b, sum) + 0.0f;
      const double rounded = static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(sum);
      twice += Same(static_cast<float>(rounded) + 0.0f, expected) ? 0 : 1;
      subnormal += std::fpclassify(expected) == FP_SUBNORMAL ? 1 : 0;
      if (Same(DotOf(fused.row, fused.query), expected)) continue;
      CAPTURE(a);
      CAPTURE(b);
      CAPTURE(sum);
      CHECK(false);
    }
    CHECK(twice > 1000);
    CHECK(subnormal > 1000);
  });
}

TEST_CASE("whole vectors of numbers of all sizes have the same dot product by every kernel and by std::fma") {
  WithEachKernel([] {
    std::mt19937 random(4);
    for (size_t i = 0; i < 20'000; ++i) {
      const size_t n = 1 + random() % 40;
      std::vector<float> a(n), b(n);
      for (size_t k = 0; k < n; ++k) a[k] = Awkward(random, 0, 192), b[k] = Awkward(random, 0, 192);
      const float expected = Expected(a, b);
      CAPTURE(i);
      if (!Same(DotOf(a, b), expected)) CHECK(DotOf(a, b) == expected);
      if (!Same(DotScalar(a.data(), b.data(), n), expected))
        CHECK(DotScalar(a.data(), b.data(), n) == expected);
    }
  });
}
