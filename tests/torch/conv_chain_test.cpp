// The depth-first chain against its layers run one after another by definition.
#include "torch/kernels/conv_chain.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "torch/kernels/shuffle_tail.h"

using namespace imgmill;

namespace {

struct Network {
  std::vector<std::vector<float>> values;
  std::vector<ChainLayer> layers;
  int scale;

  Network(int features, int convolutions, int to_scale, unsigned seed) : scale(to_scale) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto make = [&](int count, float size) {
      std::vector<float>& made = values.emplace_back();
      for (int i = 0; i < count; ++i) made.push_back(normal(random) * size);
      return made.data();
    };
    values.reserve(static_cast<size_t>(3 * convolutions));
    for (int i = 0; i < convolutions; ++i) {
      ChainLayer& layer = layers.emplace_back();
      layer.in_channels = i == 0 ? 3 : features;
      layer.out_channels = i + 1 == convolutions ? 3 * scale * scale : features;
      layer.weights = make(layer.out_channels * layer.in_channels * 9,
                           1.0f / std::sqrt(9.0f * static_cast<float>(layer.in_channels)));
      layer.bias = i % 3 == 2 ? nullptr : make(layer.out_channels, 0.1f);
      if (i + 1 == convolutions) continue;
      if (i % 2 == 0) layer.slope = make(layer.out_channels, 0.3f);
      layer.common_slope = 0.1f;
    }
  }

  /// Whole layers in double, pixel shuffle and nearest neighbour as their definitions have them.
  std::vector<double> Oracle(const std::vector<float>& input, int height, int width) const {
    std::vector<double> x(input.begin(), input.end());
    for (const ChainLayer& layer : layers) {
      std::vector<double> y;
      for (int k = 0; k < layer.out_channels; ++k) {
        for (int row = 0; row < height; ++row) {
          for (int column = 0; column < width; ++column) {
            double sum = layer.bias != nullptr ? layer.bias[k] : 0;
            for (int c = 0; c < layer.in_channels; ++c) {
              for (int i = 0; i < 9; ++i) {
                const int r = row + i / 3 - 1, q = column + i % 3 - 1;
                if (r < 0 || r >= height || q < 0 || q >= width) continue;
                sum += layer.weights[(k * layer.in_channels + c) * 9 + i] *
                       x[static_cast<size_t>((c * height + r) * width + q)];
              }
            }
            const double slope = layer.slope != nullptr ? layer.slope[k] : layer.common_slope;
            y.push_back(sum > 0 ? sum : sum * slope);
          }
        }
      }
      x = std::move(y);
    }
    std::vector<double> output;
    for (int c = 0; c < 3; ++c) {
      for (int row = 0; row < height * scale; ++row) {
        for (int column = 0; column < width * scale; ++column) {
          const int channel = (c * scale + row % scale) * scale + column % scale;
          const int pixel = row / scale * width + column / scale;
          const double value = x[static_cast<size_t>(channel * height * width + pixel)] +
                               input[static_cast<size_t>(c * height * width + pixel)];
          output.push_back(std::min(std::max(value, 0.0), 1.0));
        }
      }
    }
    return output;
  }
};

std::vector<float> RandomImage(int height, int width, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<float> image;
  for (int i = 0; i < 3 * height * width; ++i) image.push_back(uniform(random));
  return image;
}

const ConvKernels& Kernels() {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  return *kernels;
}

ConvChain ChainOf(const Network& network) {
  return {Kernels(), network.layers, std::make_unique<ShuffleTail>(network.scale)};
}

std::vector<float> Run(const ConvChain& chain, int scale, const std::vector<float>& image, int height,
                       int width, WorkerTeam& team) {
  // Filled with NaN: whatever the chain reads without having written it would show.
  Buffer work(chain.WorkBytes(height, width, team.threads()));
  std::memset(work.data(), 0xFF, work.size());
  std::vector<float> output(static_cast<size_t>(3 * height * width * scale * scale));
  chain.Run({image.data(), output.data(), height, width}, work.data(), team);
  return output;
}

}  // namespace

TEST_CASE("the depth-first chain computes what its layers do one after another") {
  WorkerTeam team(2);
  struct Case {
    int features, convolutions, scale, height, width;
  };
  for (const Case& c :
       {Case{16, 2, 1, 1, 1}, Case{8, 3, 2, 3, 5}, Case{24, 5, 3, 17, 11}, Case{64, 4, 4, 9, 30},
        Case{48, 18, 4, 10, 7}, Case{5, 6, 2, 41, 2}, Case{20, 3, 4, 6, 110}}) {
    CAPTURE(c.features);
    CAPTURE(c.width);
    const Network network(c.features, c.convolutions, c.scale, 5);
    const ConvChain chain = ChainOf(network);
    const std::vector<float> image = RandomImage(c.height, c.width, 9);
    const std::vector<double> expected = network.Oracle(image, c.height, c.width);
    const std::vector<float> actual = Run(chain, network.scale, image, c.height, c.width, team);
    REQUIRE(actual.size() == expected.size());
    double worst = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      REQUIRE(actual[i] == actual[i]);
      worst = std::max(worst, std::abs(expected[i] - actual[i]));
    }
    CHECK(worst < 1e-4);
  }
}

TEST_CASE("one, two and four threads give the same bits, again and again") {
  const Network network(32, 7, 4, 6);
  const ConvChain chain = ChainOf(network);
  const std::vector<float> image = RandomImage(45, 131, 10);
  WorkerTeam one(1);
  const std::vector<float> expected = Run(chain, network.scale, image, 45, 131, one);
  for (const int threads : {2, 4}) {
    WorkerTeam team(threads);
    for (int i = 0; i < 5; ++i) CHECK(Run(chain, network.scale, image, 45, 131, team) == expected);
  }
}

TEST_CASE("several callers of one team get their own results") {
  const Network network(16, 4, 2, 8);
  const ConvChain chain = ChainOf(network);
  WorkerTeam team(2);
  const std::vector<float> image = RandomImage(20, 40, 11);
  const std::vector<float> expected = Run(chain, network.scale, image, 20, 40, team);
  std::vector<std::thread> callers;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 10; ++j) right += Run(chain, network.scale, image, 20, 40, team) == expected;
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 40);
}

TEST_CASE("working memory does not grow with the height") {
  const Network network(64, 18, 4, 8);
  const ConvChain chain = ChainOf(network);
  // 17 layers keep 13 rows of 64 channels: 481 pixels wide that is 27.5 MB, where two whole images of 481x321
  // would be 79.
  CHECK(chain.WorkBytes(321, 481, 2) < 31'000'000);
  CHECK(chain.WorkBytes(321, 481, 2) > 27'500'000);
}
