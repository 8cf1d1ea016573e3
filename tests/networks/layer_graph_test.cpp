// Graphs of layers against the same layers by definition, in double, one after the other.
#include "networks/kernels/layer_graph.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "networks/kernels/conv_variants.h"
#include "networks/kernels/map_sampling.h"

using namespace imgmill;

namespace {

/// A map as its definition has it: [channels][height][width].
struct Planes {
  int channels = 0, height = 0, width = 0;
  std::vector<double> values;
  double At(int c, int y, int x) const {
    if (y < 0 || y >= height || x < 0 || x >= width) return 0;
    return values[static_cast<size_t>((c * height + y) * width + x)];
  }
};

/// Builds a graph and, beside it, what it should give.
class Twin {
 public:
  Twin(const ConvKernels& kernels, const LayerGraph::Input& input, int height, int width, unsigned seed)
      : kernels_(kernels), graph_(input), random_(seed), height_(height), width_(width) {
    const int u = input.unshuffle, bands = input.bands;
    std::uniform_real_distribution<float> unit;
    for (int i = 0; i < bands * height * width; ++i) pixels_.push_back(unit(random_));
    const auto up_to = [](int size, int multiple) { return (size + multiple - 1) / multiple * multiple; };
    const auto inner = [&](int size) {
      return up_to(std::max(size, input.least), std::max(u, input.multiple));
    };
    const auto side = [&](int size) {
      return up_to(inner(size) + 2 * input.margin, input.margin_multiple) / u;
    };
    Planes first{bands * u * u, side(height), side(width), {}};
    const auto continued = [&](int at, int size, bool mirrors) {
      if (at < size) return at;
      if (input.continued == Continuation::kLast) return size - 1;
      if (input.continued == Continuation::kBlack) return -1;
      const int mirrored = 2 * (size - 1) - at;
      if (input.continued == Continuation::kMirror) return std::max(mirrored, 0);
      return mirrors ? mirrored : size - 1;
    };
    const bool mirrors = first.height * u - height < height && first.width * u - width < width;
    const auto source = [&](int at, int size) {
      at = std::abs(at - input.margin);
      if (at >= inner(size)) at = 2 * (inner(size) - 1) - at;
      return continued(at, size, mirrors);
    };
    for (int c = 0; c < first.channels; ++c) {
      for (int y = 0; y < first.height; ++y) {
        for (int x = 0; x < first.width; ++x) {
          const int band = c / (u * u), i = c / u % u, j = c % u;
          const int row = source(y * u + i, height), column = source(x * u + j, width);
          const bool black = row < 0 || column < 0;
          const double value =
              black ? 0 : pixels_[static_cast<size_t>((band * height + row) * width + column)];
          const double mean = input.mean.empty() ? 0 : input.mean[static_cast<size_t>(band)];
          first.values.push_back((value - mean) * input.range);
        }
      }
    }
    for (const float told : input.told) {
      ++first.channels;
      first.values.insert(first.values.end(), static_cast<size_t>(first.height * first.width),
                          static_cast<double>(told));
    }
    unshuffle_ = u;
    maps_.push_back(std::move(first));
  }

  FeatureMap input() const { return graph_.input(); }
  LayerGraph& graph() { return graph_; }

  FeatureMap Add(std::vector<FeatureMap> from, int out, int side, GraphConv conv = {}) {
    return Random(std::move(from), out, side, std::move(conv), [this](const GraphConv& made) {
      maps_.push_back(ByDefinition(made));
      return graph_.Add(made);
    });
  }

  FeatureMap AddStrided(const FeatureMap& from, int out, int side, int stride) {
    return Random({from}, out, side, {}, [&](const GraphConv& conv) {
      const Planes all = ByDefinition(conv);
      const int reach = side / 2;
      maps_.push_back(
          Sampled(all, Windows(all.height, side, stride), Windows(all.width, side, stride),
                  [&](int c, int y, int x) { return all.At(c, y * stride + reach, x * stride + reach); }));
      return graph_.AddStrided(conv, stride);
    });
  }

  /// A pixel of the input adds to a square of four of the output.
  FeatureMap AddDoubled(const FeatureMap& from, int out, const std::vector<AddedMap>& added = {}) {
    return Random({from}, 4 * out, 1, {}, [&](GraphConv conv) {
      std::vector<float> slopes;
      for (int k = 0; k < out; ++k) slopes.push_back(0.1f * static_cast<float>(k));
      conv.slope = nullptr;
      const Planes all = ByDefinition(conv);
      Planes made{out, 2 * all.height, 2 * all.width, {}};
      for (int k = 0; k < out; ++k) {
        for (int y = 0; y < made.height; ++y) {
          for (int x = 0; x < made.width; ++x) {
            const double v = all.At((2 * (y % 2) + x % 2) * out + k, y / 2, x / 2);
            made.values.push_back((v > 0 ? v : v * static_cast<double>(slopes[static_cast<size_t>(k)])) +
                                  Added(added, k, y, x));
          }
        }
      }
      maps_.push_back(std::move(made));
      conv.out_channels = out;
      conv.slope = slopes.data();
      conv.added = added;
      return graph_.AddDoubled(conv);
    });
  }

  /// @param from  of groups of so many channels, padded
  FeatureMap AddShuffled(const FeatureMap& from, int side, int channels, int trimmed,
                         const std::vector<AddedMap>& added = {}) {
    const Planes of = maps_[static_cast<size_t>(from.index)];
    Planes made{channels, side * of.height - trimmed, side * of.width - trimmed, {}};
    for (int c = 0; c < channels; ++c) {
      for (int y = 0; y < made.height; ++y) {
        for (int x = 0; x < made.width; ++x)
          made.values.push_back(
              of.At((y % side * side + x % side) * PaddedChannels(channels) + c, y / side, x / side) +
              Added(added, c, y, x));
      }
    }
    maps_.push_back(std::move(made));
    return graph_.AddShuffled(from, side, channels, trimmed, added);
  }

  FeatureMap AddDepthwise(const FeatureMap& from, int side, const GraphConv& end = {}) {
    const Planes of = maps_[static_cast<size_t>(from.index)];
    return Random({from}, of.channels, side, end, [&](GraphConv conv) {
      std::vector<float> weights(conv.weights, conv.weights + of.channels * side * side);
      for (float& each : weights) each *= std::sqrt(static_cast<float>(of.channels));  // of one channel each
      // Some have nothing but a row.
      const auto kernels = weights.begin();
      for (int i = 0; i < std::min(of.channels, 16) * side * side; ++i)
        if (i / side % side != side / 2) kernels[i] = 0;
      conv.weights = weights.data();
      const int reach = side / 2;
      maps_.push_back(Sampled(of, of.height, of.width, [&](int c, int y, int x) {
        double v = conv.bias != nullptr ? conv.bias[c] : 0;
        for (int i = 0; i < side * side; ++i)
          v += conv.weights[c * side * side + i] * of.At(c, y + i / side - reach, x + i % side - reach);
        return Ended(conv, v, c, y, x);
      }));
      return graph_.AddDepthwise(conv);
    });
  }

  FeatureMap AddMean(const FeatureMap& from) {
    const Planes of = maps_[static_cast<size_t>(from.index)];
    maps_.push_back(Sampled(of, 1, 1, [&](int c, int, int) {
      double sum = 0;
      for (int i = 0; i < of.height * of.width; ++i) sum += of.At(c, i / of.width, i % of.width);
      return sum / (of.height * of.width);
    }));
    return graph_.AddMean(from);
  }

  FeatureMap AddFunction(const FeatureMap& from, MapFunction function) {
    const Planes of = maps_[static_cast<size_t>(from.index)];
    maps_.push_back(
        Sampled(of, of.height, of.width, [&](int c, int y, int x) { return Of(function, of.At(c, y, x)); }));
    return graph_.AddFunction(from, function);
  }

  FeatureMap AddScaled(const FeatureMap& from, const FeatureMap& factors,
                       const std::optional<FeatureMap>& shifts, const std::vector<AddedMap>& added) {
    const auto of = [&](const FeatureMap& map) { return maps_[static_cast<size_t>(map.index)]; };
    const Planes scaled = of(from), by = of(factors);
    maps_.push_back(Sampled(scaled, scaled.height, scaled.width, [&](int c, int y, int x) {
      return scaled.At(c, y, x) * by.At(factors.first + c, 0, 0) +
             (shifts ? of(*shifts).At(shifts->first + c, 0, 0) : 0) + Added(added, c, y, x);
    }));
    return graph_.AddScaled(from, factors, shifts, added);
  }

  FeatureMap AddNormalized(const FeatureMap& from) {
    const Planes of = maps_[static_cast<size_t>(from.index)];
    std::vector<float> weight, bias;
    for (int c = 0; c < of.channels; ++c) {
      weight.push_back(1 + 0.1f * static_cast<float>(c % 5));
      bias.push_back(0.01f * static_cast<float>(c));
    }
    constexpr float kEpsilon = 1e-3f;
    maps_.push_back(Sampled(of, of.height, of.width, [&](int c, int y, int x) {
      double mean = 0, variance = 0;
      for (int k = 0; k < of.channels; ++k) mean += of.At(k, y, x) / of.channels;
      for (int k = 0; k < of.channels; ++k) variance += std::pow(of.At(k, y, x) - mean, 2) / of.channels;
      const auto channel = static_cast<size_t>(c);
      return (of.At(c, y, x) - mean) / std::sqrt(variance + kEpsilon) * weight[channel] + bias[channel];
    }));
    return graph_.AddNormalized(from, weight.data(), bias.data(), kEpsilon);
  }

  /// What AddScaled multiplies and adds: of one pixel, the factors, their padding and the shifts.
  FeatureMap AddGroupNorm(const FeatureMap& from, int groups) {
    const Planes of = maps_[static_cast<size_t>(from.index)];
    const int each = of.channels / groups, pixels = of.height * of.width,
              padded = PaddedChannels(of.channels);
    std::vector<float> weight, bias;
    Planes made{padded + of.channels, 1, 1, std::vector<double>(static_cast<size_t>(padded + of.channels))};
    constexpr float kEpsilon = 1e-3f;
    for (int c = 0; c < of.channels; ++c) {
      weight.push_back(1 + 0.1f * static_cast<float>(c % 5));
      bias.push_back(0.01f * static_cast<float>(c));
      double mean = 0, variance = 0;
      const auto value = [&](int i) {
        return of.At(c / each * each + i / pixels, i % pixels / of.width, i % pixels % of.width);
      };
      for (int i = 0; i < each * pixels; ++i) mean += value(i) / (each * pixels);
      for (int i = 0; i < each * pixels; ++i) variance += std::pow(value(i) - mean, 2) / (each * pixels);
      const double factor = static_cast<double>(weight.back()) / std::sqrt(variance + kEpsilon);
      made.values[static_cast<size_t>(c)] = factor;
      made.values[static_cast<size_t>(padded + c)] = static_cast<double>(bias.back()) - mean * factor;
    }
    maps_.push_back(std::move(made));
    return graph_.AddGroupNorm(from, groups, weight.data(), bias.data(), kEpsilon);
  }

  /// Each pixel bilinear from where it lies plus half of what is said, plus a start, within the map.
  FeatureMap AddSampled(const FeatureMap& from, const FeatureMap& places, int scale, int groups) {
    const Planes of = maps_[static_cast<size_t>(from.index)], said = maps_[static_cast<size_t>(places.index)];
    std::vector<float> start;
    for (int i = 0; i < places.channels; ++i) start.push_back(0.3f * static_cast<float>(i % 7) - 0.9f);
    maps_.push_back(Sampled(of, of.height * scale, of.width * scale, [&](int c, int y, int x) {
      const int group = c / (of.channels / groups);
      const auto place = [&](int coordinate, int at, int size) {
        const int channel = ((coordinate * groups + group) * scale + y % scale) * scale + x % scale;
        const double to =
            at + 0.5 * said.At(channel, y / scale, x / scale) + start[static_cast<size_t>(channel)];
        return std::clamp(to, 0.0, size - 1.0);
      };
      const double u = place(0, x / scale, of.width), v = place(1, y / scale, of.height);
      const int left = static_cast<int>(u), top = static_cast<int>(v);
      const double right = u - left, down = v - top;
      return (1 - down) * ((1 - right) * of.At(c, top, left) + right * of.At(c, top, left + 1)) +
             down * ((1 - right) * of.At(c, top + 1, left) + right * of.At(c, top + 1, left + 1));
    }));
    return graph_.AddSampled(from, places, scale, groups, start.data());
  }

  FeatureMap AddProduct(const FeatureMap& one, const FeatureMap& other) {
    const auto of = [&](const FeatureMap& map) { return maps_[static_cast<size_t>(map.index)]; };
    Planes shape = of(one);
    shape.channels = one.channels;
    maps_.push_back(Sampled(shape, shape.height, shape.width, [&](int c, int y, int x) {
      return of(one).At(one.first + c, y, x) * of(other).At(other.first + c, y, x);
    }));
    return graph_.AddProduct(one, other);
  }

  FeatureMap AddMaxPool(const FeatureMap& from, int side, int stride) {
    const Planes& of = maps_[static_cast<size_t>(from.index)];
    maps_.push_back(Sampled(of, Windows(of.height, side, stride), Windows(of.width, side, stride),
                            [&](int c, int y, int x) {
                              double most = -HUGE_VAL;
                              for (int i = 0; i < side * side; ++i)
                                most = std::max(most, of.At(c, y * stride + i / side, x * stride + i % side));
                              return most;
                            }));
    return graph_.AddMaxPool(from, side, stride);
  }

  /// Between the centres of pixels, which lie at halves.
  FeatureMap AddResized(const FeatureMap& from, const FeatureMap& like) {
    const Planes of = maps_[static_cast<size_t>(from.index)], size = maps_[static_cast<size_t>(like.index)];
    const auto place = [](int at, int in, int out) {
      return std::clamp((at + 0.5) * in / out - 0.5, 0.0, in - 1.0);
    };
    maps_.push_back(Sampled(of, size.height, size.width, [&](int c, int y, int x) {
      const double v = place(y, of.height, size.height), u = place(x, of.width, size.width);
      const int top = static_cast<int>(v), left = static_cast<int>(u);
      const double down = v - top, right = u - left;
      return (1 - down) * ((1 - right) * of.At(c, top, left) + right * of.At(c, top, left + 1)) +
             down * ((1 - right) * of.At(c, top + 1, left) + right * of.At(c, top + 1, left + 1));
    }));
    return graph_.AddResized(from, like);
  }

  /// Gives `add` a convolution with random weights.
  template <typename Take>
  FeatureMap Random(std::vector<FeatureMap> from, int out, int side, GraphConv conv, const Take& add) {
    int in = 0;
    for (const FeatureMap& map : from) in += conv.partial ? out : map.channels;
    std::normal_distribution<float> normal;
    const float size = 1.0f / std::sqrt(static_cast<float>(in * side * side));
    std::vector<float> weights, bias, slope;
    for (int i = 0; i < out * in * side * side; ++i) weights.push_back(normal(random_) * size);
    for (int i = 0; i < out; ++i) bias.push_back(normal(random_) * 0.1f);
    for (int i = 0; i < out; ++i) slope.push_back(normal(random_) * 0.3f);
    conv.from = std::move(from);
    conv.out_channels = out;
    conv.side = side;
    conv.weights = weights.data();
    conv.bias = out % 2 == 0 ? bias.data() : nullptr;
    conv.slope = out % 3 == 0 ? slope.data() : nullptr;
    return add(conv);
  }

  /// The largest difference of what the graph gives and what it should. Whether its layers run one after the
  /// other or take turns at a few rows each, all bits are the same.
  double Check(const FeatureMap& output, int shuffle, int threads, MapFunction end = MapFunction::kNone) {
    return Check({.map = output, .shuffle = shuffle, .end = end}, threads);
  }
  double Check(const GraphOutput& output, int threads) {
    const Planes& last = maps_[static_cast<size_t>(output.map.index)];
    return Check(output, threads, last.height / maps_[0].height * output.shuffle / unshuffle_);
  }
  /// @param scale  of the output to the image: what is continued is cut off again
  double Check(const GraphOutput& output, int threads, int scale) {
    const int shuffle = output.shuffle;
    const Planes& last = maps_[static_cast<size_t>(output.map.index)];
    const int out_height = height_ * scale, out_width = width_ * scale;
    const auto pixels = static_cast<size_t>(kBands * out_height * out_width);
    WorkerTeam team(threads);
    graph_.Finish(output, kOneByOne);
    std::vector<float> made = Made(pixels, team);
    for (const size_t most : {kTurns, kMostPacked}) {
      graph_.Finish(output, most);
      CHECK(Made(pixels, team) == made);
    }
    double worst = 0;
    size_t at = 0;
    for (int c = 0; c < kBands; ++c) {
      for (int y = 0; y < out_height; ++y) {
        for (int x = 0; x < out_width; ++x) {
          const int channel = (c * shuffle + y % shuffle) * shuffle + x % shuffle;
          double value =
              last.At(output.map.first + channel, y / shuffle + output.margin, x / shuffle + output.margin);
          if (output.adds_input)
            value += pixels_[static_cast<size_t>((c * height_ + y / scale) * width_ + x / scale)];
          value = Of(output.end, value);
          worst = std::max(worst, std::abs(std::min(std::max(value, 0.0), 1.0) - made[at++]));
        }
      }
    }
    made_ = std::move(made);
    return worst;
  }
  const std::vector<float>& made() const { return made_; }
  /// What the graph gives now.
  std::vector<float> Again(WorkerTeam& team) const { return Made(made_.size() - 1, team); }

 private:
  static constexpr int kBands = 3;
  static constexpr float kUntouched = 12345.0f;
  static constexpr size_t kOneByOne = 0, kTurns = size_t{1} << 40;

  std::vector<float> Made(size_t pixels, WorkerTeam& team) const {
    std::vector<float> made(pixels + 1, kUntouched);
    Buffer work(graph_.WorkBytes(height_, width_, team.threads()) + 64);
    std::memset(work.data(), 0xFF, work.size());  // NaN: nothing that was not written may be read
    CHECK(graph_.Run(kernels_, {pixels_.data(), made.data(), height_, width_}, work.data(), team));
    for (size_t i = work.size() - 64; i < work.size(); ++i) REQUIRE(work.data()[i] == 0xFF);
    CHECK(made.back() == kUntouched);
    return made;
  }

  static double Of(MapFunction function, double value) {
    if (function == MapFunction::kSigmoid) return 1 / (1 + std::exp(-value));
    if (function == MapFunction::kGelu) return value * 0.5 * std::erfc(-value / std::sqrt(2.0));
    return function == MapFunction::kTanh ? std::tanh(value) : value;
  }

  double Added(const std::vector<AddedMap>& added, int c, int y, int x) const {
    double sum = 0;
    for (const AddedMap& each : added)
      sum += each.scale * maps_[static_cast<size_t>(each.map.index)].At(c, y + each.margin, x + each.margin);
    return sum;
  }

  template <typename At>
  static Planes Sampled(const Planes& from, int height, int width, const At& at) {
    Planes made{from.channels, height, width, {}};
    for (int c = 0; c < from.channels; ++c) {
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) made.values.push_back(at(c, y, x));
      }
    }
    return made;
  }

  double Ended(const GraphConv& conv, double v, int k, int y, int x) const {
    const auto sigmoid = [](double value) { return 1 / (1 + std::exp(-value)); };
    const auto gelu = [](double value) { return Of(MapFunction::kGelu, value); };
    const auto added = [&](size_t n) { return Added({conv.added[n]}, k, y, x); };
    const auto sum = [&](double value) {
      return value * conv.gain + conv.shift + Added(conv.added, k, y, x);
    };
    const double slope = conv.slope != nullptr ? conv.slope[k] : conv.common_slope;
    const auto sloped = [slope](double value) { return value > 0 ? value : value * slope; };
    switch (conv.end) {
      case ConvEnd::kSlope:
        return sum(sloped(v));
      case ConvEnd::kSilu:
        return sum(v * sigmoid(v));
      case ConvEnd::kGelu:
        return sum(gelu(v));
      case ConvEnd::kMish:
        return sum(v * std::tanh(std::log1p(std::exp(v))) * slope);
      case ConvEnd::kGate:
        return (v + added(0)) * (sigmoid(v) - 0.5);
      case ConvEnd::kWeigh:
        return added(0) * sigmoid(v) + (conv.added.size() > 1 ? added(1) : 0);
      case ConvEnd::kSumSlope:
        return sloped(sum(v));
      case ConvEnd::kSumGelu:
        return gelu(sum(v));
    }
    return v;
  }

  Planes ByDefinition(const GraphConv& conv) const {
    Planes joined;
    for (const FeatureMap& map : conv.from) {
      const Planes& of = maps_[static_cast<size_t>(map.index)];
      const int times = map.doubled ? 2 : 1;
      joined.height = of.height * times;
      joined.width = of.width * times;
      const int channels = conv.partial ? conv.out_channels : map.channels;
      joined.channels += channels;
      for (int c = 0; c < channels; ++c) {
        for (int y = 0; y < joined.height; ++y) {
          for (int x = 0; x < joined.width; ++x)
            joined.values.push_back(of.At(map.first + c, y / times, x / times));
        }
      }
    }
    const int side = conv.side, reach = conv.padded ? side / 2 : 0, less = conv.padded ? 0 : side / 2 * 2;
    Planes made{conv.out_channels, joined.height - less, joined.width - less, {}};
    for (int k = 0; k < conv.out_channels; ++k) {
      for (int y = 0; y < made.height; ++y) {
        for (int x = 0; x < made.width; ++x) {
          double v = conv.bias != nullptr ? conv.bias[k] : 0;
          for (int c = 0; c < joined.channels; ++c) {
            for (int i = 0; i < side * side; ++i)
              v += conv.weights[(k * joined.channels + c) * side * side + i] *
                   joined.At(c, y + i / side - reach, x + i % side - reach);
          }
          made.values.push_back(Ended(conv, v, k, y, x));
        }
      }
    }
    if (!conv.partial) return made;
    const Planes& all = maps_[static_cast<size_t>(conv.from.front().index)];
    for (; made.channels < all.channels; ++made.channels) {
      for (int i = 0; i < all.height * all.width; ++i)
        made.values.push_back(all.At(made.channels, i / all.width, i % all.width) +
                              Added(conv.added, made.channels, i / all.width, i % all.width));
    }
    return made;
  }

  const ConvKernels& kernels_;
  LayerGraph graph_;
  std::mt19937 random_;
  int height_, width_, unshuffle_ = 1;
  std::vector<float> pixels_, made_;
  std::vector<Planes> maps_;
};

std::vector<const ConvKernels*> AllKernels() {
  std::vector<const ConvKernels*> all;
  for (const char* isa : kInstructionSets) {
    if (const ConvKernels* kernels = FindConvKernels(isa)) all.push_back(kernels);
  }
  return all;
}

constexpr double kNear = 1e-5;  // of values up to about 1, through a few layers of F(4x4, 3x3) in float32

}  // namespace

TEST_CASE("a graph of every kind of layer gives what its layers give by definition") {
  constexpr int kShapes[][2] = {{1, 1}, {2, 5}, {7, 3}, {16, 16}, {17, 21}, {33, 9}, {5, 110}, {50, 6}};
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& shape : kShapes) {
      CAPTURE(kernels->name);
      CAPTURE(shape[0]);
      CAPTURE(shape[1]);
      LayerGraph::Input input;
      input.mean = {0.4f, 0.5f, 0.6f};
      input.range = 2;
      Twin net(*kernels, input, shape[0], shape[1], 11);
      GraphConv leaky, silu;
      leaky.common_slope = 0.2f;
      silu.end = ConvEnd::kSilu;
      const FeatureMap first = net.Add({net.input()}, 20, 3);
      const FeatureMap a = net.Add({first}, 8, 3, leaky);
      const FeatureMap b = net.Add({first, a}, 35, 3, silu);
      GraphConv residual;
      residual.gain = 0.2f;
      residual.added = {{first, 0.5f}, {net.Add({a, b}, 20, 1), 1.0f}};
      const FeatureMap c = net.Add({first, a, b.Channels(16, 19)}, 20, 3, residual);
      GraphConv gate;
      gate.end = ConvEnd::kGate;
      gate.added = {{c, 1.0f}};
      const FeatureMap d = net.Add({c}, 20, 3, gate);
      CHECK(net.Check(net.Add({d, net.input(), first}, 27, 3), 3, 2) < kNear);
    }
  }
}

TEST_CASE("layers at twice and four times the size give what they give by definition, at any height") {
  for (const ConvKernels* kernels : AllKernels()) {
    for (const int height : {1, 3, 15, 16, 17, 31, 49}) {
      CAPTURE(kernels->name);
      CAPTURE(height);
      Twin net(*kernels, {}, height, 13, 5);
      FeatureMap x = net.Add({net.input()}, 18, 3);
      x = net.Add({x.Doubled()}, 18, 3);
      GraphConv again;
      again.added = {{x, 1.0f}};
      x = net.Add({x}, 18, 3, again);
      x = net.Add({x.Doubled()}, 16, 3);
      CHECK(net.Check(net.Add({net.Add({x}, 16, 1)}, 3, 3), 1, 3) < kNear);
    }
  }
}

TEST_CASE("a mask from a pooled map weighs the map that it is made of, in images of any size") {
  constexpr int kShapes[][2] = {{1, 1}, {15, 15}, {9, 40}, {16, 15}, {33, 50}, {64, 37}, {100, 19}};
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& shape : kShapes) {
      CAPTURE(kernels->name);
      CAPTURE(shape[0]);
      CAPTURE(shape[1]);
      LayerGraph::Input input;
      input.least = 15;
      Twin net(*kernels, input, shape[0], shape[1], 21);
      const FeatureMap x = net.Add({net.input()}, 36, 3), narrow = net.Add({x}, 12, 1);
      FeatureMap small = net.AddMaxPool(net.AddStrided(narrow, 10, 3, 2), 7, 3);
      small = net.Add({small}, 12, 3);
      GraphConv mask, weigh;
      mask.added = {{net.AddResized(small, x), 1.0f}};
      weigh.end = ConvEnd::kWeigh;
      weigh.added = {{x, 1.0f}};
      const FeatureMap both = net.Add({narrow}, 12, 1, mask), once = net.Add({both}, 36, 1, weigh);
      weigh.added.push_back({once, 0.5f});
      CHECK(net.Check(net.Add({net.Add({both}, 36, 1, weigh)}, 12, 3), 2, 2) < kNear);
    }
  }
}

TEST_CASE("kernels larger than 3x3 keep the size, in images smaller than they are, too") {
  constexpr int kShapes[][2] = {{1, 1}, {3, 70}, {9, 8}, {33, 40}};
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& shape : kShapes) {
      for (const int side : {5, 7, 9}) {
        CAPTURE(kernels->name);
        CAPTURE(shape[0]);
        CAPTURE(side);
        Twin net(*kernels, {}, shape[0], shape[1], 23);
        GraphConv leaky;
        leaky.common_slope = 0.1f;
        const FeatureMap x = net.Add({net.input()}, 20, side, leaky);
        GraphConv added;
        added.added = {{x, 0.5f}, {net.Add({x}, 20, 3), 1.0f}};
        CHECK(net.Check(net.Add({net.Add({x}, 20, side, added)}, 12, side), 2, 3) < kNear);
      }
    }
  }
}

TEST_CASE("a U-Net halves a continued image and doubles it again, scaled by what its mean says") {
  constexpr int kShapes[][2] = {{1, 1}, {3, 5}, {8, 8}, {9, 40}, {31, 17}, {70, 10}};
  for (const ConvKernels* kernels : AllKernels()) {
    for (const Continuation continued : {Continuation::kMirror, Continuation::kLast, Continuation::kBlack}) {
      for (const auto& shape : kShapes) {
        CAPTURE(kernels->name);
        CAPTURE(shape[0]);
        CAPTURE(shape[1]);
        LayerGraph::Input input;
        input.multiple = 4;
        input.continued = continued;
        input.told = {0.3f, -0.2f};
        Twin net(*kernels, input, shape[0], shape[1], 31);
        const FeatureMap top = net.Add({net.input()}, 18, 3);
        const FeatureMap middle = net.AddStrided(top, 34, 2, 2), low = net.AddStrided(middle, 20, 2, 2);
        const FeatureMap mean = net.Add({net.AddMean(low)}, 34, 1);
        const FeatureMap factors = net.AddFunction(mean, MapFunction::kSigmoid),
                         shifts = net.AddFunction(mean, MapFunction::kTanh);
        FeatureMap x = net.AddDoubled(low, 34);
        x = net.AddScaled(x, factors, shifts, {{middle, 1.0f}, {x, 0.5f}});
        GraphConv skip;
        skip.added = {{top, 1.0f}};
        x = net.Add({net.AddDoubled(x, 18)}, 18, 3, skip);
        CHECK(net.Check(net.Add({x}, 3, 3), 1, 2) < kNear);
      }
    }
  }
}

TEST_CASE("channels are convolved by themselves and pixels shuffled") {
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& [height, width] : {std::pair{1, 1}, {3, 4}, {15, 9}, {16, 8}, {17, 40}, {49, 13}}) {
      CAPTURE(kernels->name);
      CAPTURE(height);
      CAPTURE(width);
      Twin net(*kernels, {}, height, width, 8);
      FeatureMap x = net.Add({net.AddDepthwise(net.input(), 9)}, 20, 1);
      GraphConv gelu, sum;
      gelu.end = ConvEnd::kGelu;
      gelu.gain = 2;
      sum.end = ConvEnd::kSumGelu;
      sum.added = {{x, 0.5f}};
      x = net.AddDoubled(net.AddDepthwise(net.AddDepthwise(x, 3, sum), 3, gelu), 36);
      x = net.AddDoubled(net.AddDepthwise(x, 5), 18);
      CHECK(net.Check(net.Add({net.AddDepthwise(x, 9)}, 3, 1), 1, 3, MapFunction::kSigmoid) < kNear);
    }
  }
}

TEST_CASE("squares of pixels become channels, and an image that has no whole squares is continued") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  for (const int unshuffle : {2, 4}) {
    for (const auto& [height, width] : {std::pair{16, 8}, {9, 14}, {5, 7}, {1, 3}, {2, 2}}) {
      CAPTURE(unshuffle);
      CAPTURE(height);
      CAPTURE(width);
      LayerGraph::Input input;
      input.unshuffle = unshuffle;
      Twin net(*kernels, input, height, width, 3);
      const FeatureMap x = net.Add({net.input()}, 16, 3);
      CHECK(net.Check(net.Add({x.Doubled()}, 12, 3), 2, 1) < kNear);
    }
  }
}

TEST_CASE("no bit depends on the number of threads") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  const auto made = [&](int threads) {
    Twin net(*kernels, {}, 40, 130, 9);
    FeatureMap x = net.Add({net.input()}, 32, 3);
    for (int i = 1; i < 12; ++i) x = net.Add({x}, 32, 3);
    CHECK(net.Check(net.Add({x}, 3, 3), 1, threads) < kNear);
    return net.made();
  };
  const std::vector<float> alone = made(1);
  for (const int threads : {2, 5}) CHECK(made(threads) == alone);
}

TEST_CASE("only maps that are still to be read take memory, and of layers that take turns only their rows") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  const auto bytes = [&](int layers, bool turns, int height) {
    Twin net(*kernels, {}, 4, 4, 9);
    const FeatureMap first = net.Add({net.input()}, 32, 3);
    FeatureMap x = first;
    for (int i = 1; i < layers; ++i) x = net.Add({x}, 32, 3);
    GraphConv skip;
    skip.added = {{first, 1.0f}};
    x = net.Add({x}, 32, 3, skip);
    net.graph().Finish({.map = net.Add({x}, 3, 3)}, turns ? size_t{1} << 40 : 0);
    return net.graph().WorkBytes(height, 1000, 1);
  };
  constexpr size_t kMap = 1002 * 32 * sizeof(float);  // a row of it
  constexpr size_t kCounters = 10'000;                // of what is done of each row of tiles
  CHECK(bytes(12, false, 400) < bytes(3, false, 400) + kCounters);
  CHECK(bytes(3, false, 400) > 3 * 400 * kMap);
  CHECK(bytes(3, false, 800) - bytes(3, false, 400) > 3 * 400 * kMap);
  CHECK(bytes(12, true, 800) < bytes(12, true, 400) + kCounters);
  // 16 rows of each are made in a step, and up to 9 are kept for the next; of the first one those of the
  // skip.
  CHECK(bytes(12, true, 400) < (13 * 25 + 12 * 4) * kMap + 4'000'000);
}

TEST_CASE("how far a pixel sees follows from the layers") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  const auto radius = [&](LayerGraph::Input input, const auto& build) {
    Twin net(*kernels, input, 8, 8, 9);
    net.graph().Finish({.map = build(net)});
    return net.graph().radius();
  };
  const auto chain = [](Twin& net) { return net.Add({net.Add({net.Add({net.input()}, 8, 3)}, 8, 1)}, 3, 3); };
  CHECK(radius({}, chain) == 2);
  CHECK(radius({.unshuffle = 4}, chain) == 2 * 4 + 3);
  CHECK(radius({}, [](Twin& net) { return net.Add({net.AddDepthwise(net.input(), 9)}, 3, 3); }) == 5);
  // At twice the size a 3x3 convolution sees half a pixel further, which is in the next one.
  CHECK(radius({}, [](Twin& net) { return net.Add({net.Add({net.input()}, 8, 3).Doubled()}, 3, 3); }) == 2);
  // A pixel of the lowest map stands for 4x4, each of which sees all 16 and those of the next maps, 4
  // further.
  CHECK(radius({.multiple = 4}, [](Twin& net) {
          const FeatureMap low = net.AddStrided(net.AddStrided(net.input(), 8, 2, 2), 8, 2, 2);
          return net.AddDoubled(net.AddDoubled(net.Add({low}, 8, 3), 8), 3);
        }) == 3 + 4);
  CHECK(radius({}, [](Twin& net) {
          const FeatureMap x = net.Add({net.input()}, 8, 3);
          const FeatureMap mean = net.AddMean(x);
          return net.AddScaled(x, mean, mean, {});
        }) == -1);
}

TEST_CASE("the image is added to each pixel of the squares that it becomes") {
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& shape : {std::array{1, 1}, std::array{3, 5}, std::array{41, 2}, std::array{6, 110}}) {
      CAPTURE(kernels->name);
      CAPTURE(shape[0]);
      Twin net(*kernels, {}, shape[0], shape[1], 3);
      FeatureMap x = net.input();
      for (int i = 0; i < 6; ++i) x = net.Add({x}, 24, 3);
      x = net.Add({x}, 48, 3);
      CHECK(net.Check({.map = x, .shuffle = 4, .adds_input = true}, 2) < kNear);
      CHECK(net.Check({.map = x, .shuffle = 4, .adds_input = true, .end = MapFunction::kSigmoid}, 2) < kNear);
      // Of an image that is continued to a larger one.
      Twin larger(*kernels, {.least = 7, .multiple = 4}, shape[0], shape[1], 4);
      x = larger.Add({larger.input()}, 12, 3);
      CHECK(larger.Check({.map = x, .shuffle = 2, .adds_input = true}, 2) < kNear);
    }
  }
  // Of one whose squares are channels.
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  Twin squares(*kernels, {.unshuffle = 2}, 7, 12, 4);
  const FeatureMap x = squares.Add({squares.input()}, 48, 3);
  CHECK(squares.Check({.map = x, .shuffle = 4, .adds_input = true}, 2) < kNear);
}

TEST_CASE("a graph that gives too few pixels, or that the kernels have no form of, is refused") {
  LayerGraph halved({});
  const FeatureMap half = halved.AddMaxPool(halved.input(), 1, 2);
  CHECK_THROWS_AS(halved.Finish({.map = half}), std::logic_error);
  LayerGraph cropped({});
  CHECK_THROWS_AS(cropped.Finish({.map = cropped.input(), .margin = 1}), std::logic_error);
  LayerGraph limits({});
  const std::vector<float> weights(3 * 3 * 33 * 33 * 7, 0.5f);
  GraphConv conv;
  conv.from.assign(kMostConvInputs + 1, limits.input());
  conv.out_channels = 3;
  conv.weights = weights.data();
  CHECK_THROWS_AS(limits.Add(conv), std::logic_error);
  conv.from = {limits.input().Doubled()};
  conv.padded = false;
  CHECK_THROWS_AS(limits.Add(conv), std::logic_error);
  conv.from = {limits.input()};
  CHECK_NOTHROW(limits.Add(conv));
  conv.side = kMostDepthwiseSide + 2;
  CHECK_THROWS_AS(limits.AddDepthwise(conv), std::logic_error);
  conv.side = kMostWindowSide + 2;
  CHECK_THROWS_AS(limits.Add(conv), std::logic_error);
  conv.side = 5;
  conv.partial = true;
  conv.out_channels = 4;
  CHECK_THROWS_AS(limits.Add(conv), std::logic_error);
  conv.partial = false;
  conv.out_channels = 3;
  CHECK_THROWS_AS(limits.AddGroupNorm(limits.input(), 2, weights.data(), weights.data(), 0),
                  std::logic_error);
  CHECK_THROWS_AS(limits.AddSampled(limits.input(), limits.input(), 2, 3, weights.data()), std::logic_error);
  conv.side = 3;
  conv.end = ConvEnd::kGate;
  CHECK_THROWS_AS(limits.AddDepthwise(conv), std::logic_error);
}

TEST_CASE("layers without padding take away the margin by which an image is mirrored") {
  constexpr int kShapes[][2] = {{1, 1}, {12, 7}, {13, 40}, {31, 17}, {70, 12}};
  for (const ConvKernels* kernels : AllKernels()) {
    for (const bool before : {false, true}) {
      for (const auto& shape : kShapes) {
        CAPTURE(kernels->name);
        CAPTURE(before);
        CAPTURE(shape[0]);
        CAPTURE(shape[1]);
        LayerGraph::Input input;
        input.continued = Continuation::kMirror;
        input.least = 12;
        input.margin = 9;
        (before ? input.multiple : input.margin_multiple) = 2;
        Twin net(*kernels, input, shape[0], shape[1], 41);
        GraphConv bare, leaky, gelu, sum;
        bare.padded = leaky.padded = gelu.padded = sum.padded = false;
        leaky.common_slope = 0.1f;
        gelu.end = ConvEnd::kGelu;
        const FeatureMap top = net.Add({net.Add({net.input()}, 20, 3, leaky)}, 36, 3, gelu);
        const FeatureMap low = net.Add({net.AddStrided(top, 18, 2, 2)}, 18, 3, leaky);
        const FeatureMap again = net.AddDoubled(low, 36, {{top, 1.0f, 2}});
        sum.end = ConvEnd::kSumSlope;
        sum.common_slope = 0;
        sum.added = {{top, 0.5f, 3}};
        const FeatureMap x = net.Add({again}, 36, 3, sum);
        const FeatureMap last = net.Add({x}, 12, 3, bare);
        CHECK(net.Check({.map = last, .shuffle = 2, .margin = 3, .adds_input = true}, 2, 2) < kNear);
      }
    }
  }
}

TEST_CASE("pixels are normalized, multiplied and shuffled, scaled by a mean alone, and trimmed") {
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& [height, width] : {std::pair{1, 1}, {4, 3}, {15, 9}, {17, 40}, {50, 5}}) {
      CAPTURE(kernels->name);
      CAPTURE(height);
      CAPTURE(width);
      LayerGraph::Input input;  // so much larger that nothing lacks where it is trimmed
      input.least = 2;
      input.margin = 1;
      Twin net(*kernels, input, height, width, 51);
      FeatureMap x = net.AddNormalized(net.Add({net.input()}, 40, 3));
      x = net.AddProduct(x.Channels(16, 16), x.Channels(0, 16));
      x = net.AddFunction(net.Add({x}, 9 * 16, 3), MapFunction::kGelu);
      x = net.AddShuffled(x, 3, 10, 0);
      x = net.AddScaled(x, net.AddMean(x), {}, {{x, 1.0f}});
      const FeatureMap whole = net.AddShuffled(net.Add({x}, 3 * 32 + 20, 1), 2, 20, 0);
      x = net.AddShuffled(net.Add({x}, 3 * 32 + 20, 1), 2, 20, 0, {{whole, 0.5f}});
      x = net.AddShuffled(net.Add({x}, 20, 1), 1, 20, 1);
      CHECK(net.Check({.map = net.Add({x}, 3, 3)}, 3, 6) < 10 * kNear);  // of products up to 10
    }
  }
}

TEST_CASE("large kernels on some channels, norms of groups, and places that are learned") {
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& [height, width] : {std::pair{1, 1}, {4, 3}, {15, 9}, {17, 40}, {50, 110}}) {
      CAPTURE(kernels->name);
      CAPTURE(height);
      CAPTURE(width);
      Twin net(*kernels, {}, height, width, 61);
      GraphConv mish, partial, weigh;
      mish.end = ConvEnd::kMish;
      mish.shift = -0.25f;
      const FeatureMap first = net.Add({net.input()}, 36, 3, mish);
      partial.partial = true;
      partial.added = {{first, 0.5f}};
      FeatureMap x = net.Add({net.Add({first}, 36, 1)}, 14, 11, partial);
      partial.added = {};
      x = net.Add({net.Add({x}, 20, 3, partial)}, 4, 1, partial);
      weigh.end = ConvEnd::kWeigh;
      weigh.added = {{x, 1.0f}};
      x = net.Add({x}, 36, 3, weigh);
      GraphConv less;
      less.shift = 0.5f;
      x = net.AddDepthwise(x, 11, less);
      const FeatureMap norm = net.AddGroupNorm(x, 3);
      x = net.AddScaled(x, norm.Channels(0, 36), norm.Channels(48, 36), {{first, 1.0f}});
      const FeatureMap places = net.Add({net.Add({x}, 20, 3)}, 2 * 4 * 9, 1);
      x = net.AddSampled(x, places, 3, 4);
      CHECK(net.Check({.map = net.Add({x}, 3, 1)}, 3, 3) < 10 * kNear);
    }
  }
}

TEST_CASE("callers that share a graph and its team get their own results") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  Twin net(*kernels, {}, 20, 40, 8);
  FeatureMap x = net.input();
  for (int i = 0; i < 3; ++i) x = net.Add({x}, 16, 3);
  CHECK(net.Check(net.Add({x}, 12, 3), 2, 2) < kNear);
  WorkerTeam team(2);
  std::vector<std::thread> callers;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 10; ++j) right += net.Again(team) == net.made();
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 40);
}

TEST_CASE("a network of many layers at one size takes rows of each, and no map as a whole") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  Twin net(*kernels, {}, 4, 4, 8);
  FeatureMap x = net.input();
  for (int i = 0; i < 17; ++i) x = net.Add({x}, 64, 3);
  net.graph().Finish({.map = net.Add({x}, 48, 3), .shuffle = 4, .adds_input = true});
  // Two whole maps of 64 channels would be 79 MB. Here 17 layers keep 13 rows each, of which 8 are made in a
  // step, beside 10 MB of packed weights.
  CHECK(net.graph().WorkBytes(321, 481, 2) < 45'000'000);
  CHECK(net.graph().WorkBytes(3210, 481, 2) < 46'000'000);
}

TEST_CASE("a value that is not finite is told") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  LayerGraph graph({});
  const std::vector<float> weights(27, 3e38f);
  GraphConv conv;
  conv.from = {graph.input()};
  conv.out_channels = 3;
  conv.side = 1;
  conv.weights = weights.data();
  graph.Finish({.map = graph.Add(conv)});
  const std::vector<float> white(75, 1.0f);
  std::vector<float> made(75);
  WorkerTeam team(1);
  Buffer work(graph.WorkBytes(5, 5, 1));
  CHECK_FALSE(graph.Run(*kernels, {white.data(), made.data(), 5, 5}, work.data(), team));
}
