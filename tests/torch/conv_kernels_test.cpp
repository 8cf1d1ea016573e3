// The Winograd kernels against convolution by its definition, on random input of odd shapes.
#include "torch/kernels/conv_kernels.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "imgmill/memory/pool.h"

using namespace imgmill;

namespace {

struct Problem {
  int in, out, height, width;
  std::vector<float> image, weights, bias, slope;  // image: [height][width][in]

  Problem(int in_channels, int out_channels, int h, int w, unsigned seed)
      : in(in_channels), out(out_channels), height(h), width(w) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto fill = [&](std::vector<float>& values, int count, float scale) {
      for (int i = 0; i < count; ++i) values.push_back(normal(random) * scale);
    };
    fill(image, h * w * in, 1.0f);
    fill(weights, out * in * 9, 0.1f);
    fill(bias, out, 0.5f);
    fill(slope, out, 0.3f);
  }
};

/// The definition of a 3x3 convolution with PReLU, in double.
std::vector<double> Oracle(const Problem& p) {
  std::vector<double> result;
  for (int y = 0; y < p.height; ++y) {
    for (int x = 0; x < p.width; ++x) {
      for (int k = 0; k < p.out; ++k) {
        double sum = p.bias[static_cast<size_t>(k)];
        for (int c = 0; c < p.in; ++c) {
          for (int i = 0; i < 9; ++i) {
            const int yy = y + i / 3 - 1, xx = x + i % 3 - 1;
            if (yy < 0 || yy >= p.height || xx < 0 || xx >= p.width) continue;
            sum += double{p.image[static_cast<size_t>((yy * p.width + xx) * p.in + c)]} *
                   p.weights[static_cast<size_t>((k * p.in + c) * 9 + i)];
          }
        }
        result.push_back(sum > 0 ? sum : sum * p.slope[static_cast<size_t>(k)]);
      }
    }
  }
  return result;
}

float* Floats(Buffer& buffer) {
  return reinterpret_cast<float*>(buffer.data());
}

/// The kernels on the whole image, each row cut into calls of `step` tiles.
std::vector<float> Convolve(const ConvKernels& kernels, const Problem& p, int step) {
  const int in_pad = PaddedChannels(p.in), out_pad = PaddedChannels(p.out);
  const int tiles = (p.width + 3) / 4, pixels = 4 * tiles + 2;
  // Rows -1 to height + 4, all zero at first; pixel x of row y is at (y + 1, x + 1).
  std::vector<float> image(static_cast<size_t>((p.height + 6) * pixels * in_pad), 0.0f);
  for (int y = 0; y < p.height; ++y) {
    for (int x = 0; x < p.width; ++x) {
      std::memcpy(&image[static_cast<size_t>(((y + 1) * pixels + x + 1) * in_pad)],
                  &p.image[static_cast<size_t>((y * p.width + x) * p.in)],
                  static_cast<size_t>(p.in) * sizeof(float));
    }
  }
  std::vector<float> packed(PackedWinogradFloats(p.out, p.in));
  const ConvPacking packing = {p.weights.data(), p.in, nullptr, p.in, p.out};
  for (int block = 0; block < kernels.blocks(p.out); ++block) kernels.pack(packing, block, packed.data());
  std::vector<float> bias(static_cast<size_t>(out_pad)), slope(static_cast<size_t>(out_pad));
  std::copy(p.bias.begin(), p.bias.end(), bias.begin());
  std::copy(p.slope.begin(), p.slope.end(), slope.begin());
  const ConvLayer layer{p.in, p.out, packed.data(), bias.data(), slope.data(), ConvEnd::kSlope, 1.0f};
  Buffer scratch(ConvScratchFloats(p.in) * sizeof(float));

  constexpr float kUntouched = 12345.0f;
  std::vector<float> output(static_cast<size_t>((p.height * p.width + 1) * out_pad), kUntouched);
  for (int y = 0; y < p.height; y += 4) {
    ConvRows rows;
    rows.width = p.width;
    rows.in[0].stride = rows.in[0].channels = in_pad;
    for (int i = 0; i < 6; ++i) rows.in[0].rows[i] = &image[static_cast<size_t>((y + i) * pixels * in_pad)];
    for (int i = 0; i < 4 && y + i < p.height; ++i) {
      rows.out[i] = &output[static_cast<size_t>((y + i) * p.width * out_pad)];
    }
    for (int first = 0; first < tiles; first += step) {
      kernels.run(layer, rows, first, std::min(step, tiles - first), Floats(scratch));
    }
  }
  for (int k = 0; k < out_pad; ++k) {  // nothing is written behind the last pixel
    CHECK(output[static_cast<size_t>(p.height * p.width * out_pad + k)] == kUntouched);
  }
  std::vector<float> result;
  for (int i = 0; i < p.height * p.width; ++i) {
    for (int k = 0; k < p.out; ++k) result.push_back(output[static_cast<size_t>(i * out_pad + k)]);
  }
  return result;
}

std::vector<const ConvKernels*> AllKernels() {
  std::vector<const ConvKernels*> all;
  for (const char* isa : {"sse2", "avx2", "avx512"}) {
    if (const ConvKernels* kernels = FindConvKernels(isa)) all.push_back(kernels);
  }
  return all;
}

}  // namespace

TEST_CASE("every kernel agrees with the definition of convolution, whatever the shape and the channels") {
  constexpr int kShapes[][2] = {{1, 1}, {1, 2},  {2, 1}, {3, 5},  {4, 4},  {5, 3},   {7, 9},
                                {8, 8}, {1, 97}, {9, 1}, {6, 13}, {4, 96}, {5, 101}, {16, 17}};
  constexpr int kChannels[][2] = {{3, 64}, {64, 64}, {64, 48}, {1, 1},  {5, 7},   {16, 16},
                                  {17, 3}, {24, 12}, {32, 27}, {48, 3}, {70, 80}, {3, 113}};
  unsigned seed = 1;
  for (const auto& channels : kChannels) {
    for (const auto& shape : kShapes) {
      if (channels[0] * channels[1] * shape[0] * shape[1] > 1'500'000) continue;  // the oracle is slow
      const Problem problem(channels[0], channels[1], shape[0], shape[1], ++seed);
      const std::vector<double> expected = Oracle(problem);
      for (const ConvKernels* kernels : AllKernels()) {
        const std::vector<float> actual = Convolve(*kernels, problem, kMostWinogradTiles);
        double worst = 0;
        for (size_t i = 0; i < expected.size(); ++i)
          worst = std::max(worst, std::abs(expected[i] - actual[i]));
        CAPTURE(kernels->name);
        CAPTURE(channels[0]);
        CAPTURE(channels[1]);
        CAPTURE(shape[0]);
        CAPTURE(shape[1]);
        // Values are about sqrt(9 * in) / 10; F(4x4, 3x3) loses two decimal digits of float32's seven.
        CHECK(worst < 2e-5 * std::sqrt(9.0 * channels[0]));
      }
    }
  }
}

TEST_CASE("results do not depend on how a row is cut into calls") {
  const Problem problem(19, 50, 6, 120, 7);
  for (const ConvKernels* kernels : AllKernels()) {
    CAPTURE(kernels->name);
    const std::vector<float> whole = Convolve(*kernels, problem, 24);
    for (const int step : {1, 2, 3, 4, 5, 7, 11, 23}) CHECK(Convolve(*kernels, problem, step) == whole);
  }
}

TEST_CASE("AVX2 and AVX-512 give the same bits") {
  const ConvKernels* avx2 = FindConvKernels("avx2");
  const ConvKernels* avx512 = FindConvKernels("avx512");
  if (avx2 == nullptr || avx512 == nullptr) {
    MESSAGE("this machine has not both");
    return;
  }
  const Problem problem(64, 48, 9, 50, 3);
  CHECK(Convolve(*avx2, problem, 24) == Convolve(*avx512, problem, 24));
}

TEST_CASE("IMGMILL_ISA chooses the kernels, and an unknown name means none") {
  const char* before = std::getenv("IMGMILL_ISA");
  const std::string kept = before != nullptr ? before : "";
  setenv("IMGMILL_ISA", "sse2", 1);
  const ConvKernels* sse2 = BestConvKernels();
  setenv("IMGMILL_ISA", "libtorch", 1);
  const ConvKernels* none = BestConvKernels();
  unsetenv("IMGMILL_ISA");
  const ConvKernels* best = BestConvKernels();
  if (before != nullptr) setenv("IMGMILL_ISA", kept.c_str(), 1);
#ifdef __x86_64__
  REQUIRE(sse2 != nullptr);
  CHECK(std::string(sse2->name) == "winograd-sse2");
  CHECK(best != nullptr);
#endif
  CHECK(none == nullptr);
}

TEST_CASE("dense layers agree with their definition, and no row's bits depend on how many there are") {
  for (const char* isa : {"avx512", "avx2", "sse2"}) {
    const ConvKernels* kernels = FindConvKernels(isa);
    if (kernels == nullptr) continue;
    CAPTURE(isa);
    std::mt19937 random(11);
    std::normal_distribution<float> normal;
    const auto drawn = [&](int count) {
      std::vector<float> values(static_cast<size_t>(count));
      for (float& each : values) each = normal(random);
      return values;
    };
    // Rows beside groups of six, inputs beyond a chunk of 512, outputs beside blocks of 64.
    for (const auto& [inputs, outputs] : {std::pair{1, 16}, {48, 64}, {511, 80}, {1100, 208}}) {
      const std::vector<float> weights = drawn(inputs * outputs), bias = drawn(outputs);
      Buffer packed(static_cast<size_t>(inputs * outputs) * sizeof(float));
      const ConvPacking packing = {weights.data(), inputs, nullptr, inputs, outputs};
      for (int block = 0; block < kernels->blocks(outputs); ++block)
        kernels->pack_1x1(packing, block, reinterpret_cast<float*>(packed.data()));
      ConvLayer layer;
      layer.in_channels = inputs;
      layer.out_channels = outputs;
      layer.weights = reinterpret_cast<const float*>(packed.data());
      layer.bias = bias.data();
      for (const int rows : {1, 5, 6, 13, 50}) {
        CAPTURE(rows);
        const std::vector<float> in = drawn(rows * inputs);
        std::vector<float> out(static_cast<size_t>(rows * outputs)), one(static_cast<size_t>(outputs));
        kernels->run_dense(layer, in.data(), rows, out.data());
        double largest = 0;
        bool same = true;
        for (int r = 0; r < rows; ++r) {
          const float* row = in.data() + static_cast<size_t>(r * inputs);
          kernels->run_dense(layer, row, 1, one.data());
          for (int k = 0; k < outputs; ++k) {
            const float* w = weights.data() + static_cast<size_t>(k * inputs);
            double sum = bias[static_cast<size_t>(k)];
            for (int c = 0; c < inputs; ++c) sum += double{row[c]} * double{w[c]};
            const float got = out[static_cast<size_t>(r * outputs + k)];
            largest = std::max(largest, std::abs(sum - double{got}));
            same &= std::memcmp(&got, &one[static_cast<size_t>(k)], sizeof got) == 0;
          }
        }
        CHECK(largest < 2e-6 * std::sqrt(inputs) * 4);
        CHECK(same);
      }
    }
  }
}
