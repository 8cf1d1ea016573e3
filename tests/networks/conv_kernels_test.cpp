// The Winograd kernels against convolution by its definition, on random input of odd shapes.
#include "networks/kernels/conv_kernels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "imgmill/memory/pool.h"
#include "networks/kernels/conv_variants.h"

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
  for (const char* isa : kInstructionSets) {
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
  [[maybe_unused]] const ConvKernels* sse2 = BestConvKernels();
  setenv("IMGMILL_ISA", "libtorch", 1);
  const ConvKernels* none = BestConvKernels();
  unsetenv("IMGMILL_ISA");
  [[maybe_unused]] const ConvKernels* best = BestConvKernels();
  if (before != nullptr) setenv("IMGMILL_ISA", kept.c_str(), 1);
#ifdef __x86_64__
  REQUIRE(sse2 != nullptr);
  CHECK(std::string(sse2->name) == "winograd-sse2");
  CHECK(best != nullptr);
#endif
  CHECK(none == nullptr);
}

namespace {

std::vector<float> Drawn(std::mt19937& random, int count) {
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& each : values) each = normal(random);
  return values;
}

/// A dense layer by its definition, in double.
double Ended(DenseEnd end, double sum, double before) {
  switch (end) {
    case DenseEnd::kAdd:
      return before + sum;
    case DenseEnd::kGelu:
      return sum * 0.5 * std::erfc(-sum / std::sqrt(2.0));
    case DenseEnd::kQuickGelu:
      return sum / (1 + std::exp(-1.702 * sum));
    case DenseEnd::kNone:
      break;
  }
  return sum;
}

}  // namespace

TEST_CASE("dense layers agree with their definition, and no row's bits depend on how many there are") {
  for (const char* isa : kInstructionSets) {
    const ConvKernels* kernels = FindConvKernels(isa);
    if (kernels == nullptr) continue;
    CAPTURE(isa);
    std::mt19937 random(11);
    // Rows beside groups of six, inputs beyond a chunk of 512, outputs beside blocks of 64 and vectors.
    for (const auto& [inputs, outputs] : {std::pair{1, 16}, {48, 64}, {60, 100}, {511, 80}, {1100, 205}}) {
      CAPTURE(outputs);
      const size_t padded = static_cast<size_t>(PaddedChannels(outputs));
      const std::vector<float> weights = Drawn(random, inputs * outputs);
      std::vector<float> bias = Drawn(random, outputs);
      bias.resize(padded);
      Buffer packed(static_cast<size_t>(inputs) * padded * sizeof(float));
      const ConvPacking packing = {weights.data(), inputs, nullptr, inputs, outputs};
      for (int block = 0; block < kernels->blocks(outputs); ++block)
        kernels->pack_1x1(packing, block, reinterpret_cast<float*>(packed.data()));
      ConvLayer layer;
      layer.in_channels = inputs;
      layer.out_channels = outputs;
      layer.weights = reinterpret_cast<const float*>(packed.data());
      layer.bias = bias.data();
      for (const int rows : {1, 5, 6, 13, 50}) {
        for (const DenseEnd end : {DenseEnd::kNone, DenseEnd::kAdd, DenseEnd::kGelu, DenseEnd::kQuickGelu}) {
          CAPTURE(rows);
          CAPTURE(static_cast<int>(end));
          const std::vector<float> in = Drawn(random, rows * inputs), before = Drawn(random, rows * outputs);
          std::vector<float> out = before;
          out.push_back(7);  // behind the last row nothing is written
          kernels->run_dense(layer, in.data(), rows, out.data(), end);
          double largest = 0;
          bool same = true;
          for (int r = 0; r < rows; ++r) {
            const float* row = in.data() + static_cast<size_t>(r * inputs);
            std::vector<float> one(before.begin() + r * outputs, before.begin() + (r + 1) * outputs);
            kernels->run_dense(layer, row, 1, one.data(), end);
            for (int k = 0; k < outputs; ++k) {
              const auto at = static_cast<size_t>(r * outputs + k);
              const float* w = weights.data() + static_cast<size_t>(k * inputs);
              double sum = bias[static_cast<size_t>(k)];
              for (int c = 0; c < inputs; ++c) sum += double{row[c]} * double{w[c]};
              largest = std::max(largest, std::abs(Ended(end, sum, before[at]) - double{out[at]}));
              same &= std::memcmp(&out[at], &one[static_cast<size_t>(k)], sizeof(float)) == 0;
            }
          }
          CHECK(largest < 2e-6 * std::sqrt(inputs) * 4);
          CHECK(same);
          CHECK(out.back() == 7);
        }
      }
    }
  }
}

TEST_CASE("attention agrees with its definition for any number of tokens and features") {
  for (const char* isa : kInstructionSets) {
    const ConvKernels* kernels = FindConvKernels(isa);
    if (kernels == nullptr) continue;
    CAPTURE(isa);
    std::mt19937 random(5);
    for (const auto& [queries, keys, features] :
         {std::array{1, 1, 1}, {50, 50, 64}, {64, 64, 10}, {1, 197, 48}, {33, 600, 30}, {7, 16, 16}}) {
      for (const bool causal : {false, true}) {
        for (const bool biased : {false, true}) {
          CAPTURE(queries);
          CAPTURE(keys);
          CAPTURE(causal);
          CAPTURE(biased);
          const int stride = features + 3;
          const std::vector<float> q = Drawn(random, queries * stride), k = Drawn(random, keys * stride),
                                   v = Drawn(random, keys * stride), bias = Drawn(random, queries * keys);
          std::vector<float> out(static_cast<size_t>(queries * stride), 7.0F);
          Buffer scratch(AttentionScratchFloats(keys, features) * sizeof(float));
          const auto apart = static_cast<size_t>(stride);
          AttentionHead on;
          on.queries = {q.data(), apart};
          on.keys = {k.data(), apart};
          on.values = {v.data(), apart};
          if (biased) on.bias = {bias.data(), static_cast<size_t>(keys)};
          on.out = out.data();
          on.out_stride = apart;
          on.query_count = queries;
          on.key_count = keys;
          on.features = features;
          on.scale = 0.7F;
          on.causal = causal;
          kernels->attend(on, reinterpret_cast<float*>(scratch.data()));
          double largest = 0;
          for (int t = 0; t < queries; ++t) {
            const int seen = causal ? std::min(t + 1, keys) : keys;
            std::vector<double> shares;
            double sum = 0;
            for (int u = 0; u < seen; ++u) {
              double score = biased ? bias[static_cast<size_t>(t * keys + u)] : 0;
              for (int c = 0; c < features; ++c)
                score += 0.7 * double{q[static_cast<size_t>(t * stride + c)]} *
                         double{k[static_cast<size_t>(u * stride + c)]};
              shares.push_back(std::exp(score));
              sum += shares.back();
            }
            for (int c = 0; c < features; ++c) {
              double expected = 0;
              for (int u = 0; u < seen; ++u)
                expected +=
                    shares[static_cast<size_t>(u)] / sum * double{v[static_cast<size_t>(u * stride + c)]};
              largest =
                  std::max(largest, std::abs(expected - double{out[static_cast<size_t>(t * stride + c)]}));
            }
            CHECK(out[static_cast<size_t>(t * stride + features)] == 7);  // between rows nothing is written
          }
          CHECK(largest < 2e-5);
        }
      }
    }
  }
}
