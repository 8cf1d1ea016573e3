// Builds a graph and, beside it, what its layers give by definition, in double, one after the other.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include "networks/kernels/conv_variants.h"
#include "networks/kernels/layer_graph.h"
#include "networks/kernels/map_sampling.h"

namespace imgmill {

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

  /// @param across  columns of the kernel; 0: as many as rows
  FeatureMap AddDepthwise(const FeatureMap& from, int side, GraphConv end = {}, int across = 0) {
    const Planes of = Read(from);
    const int channels = from.channels;
    end.across = across;
    if (across == 0) across = side;
    const int window = side * across;
    return Random({from}, channels, std::max(side, across), end, [&](GraphConv conv) {
      conv.side = side;
      std::vector<float> weights(conv.weights, conv.weights + channels * window);
      // Of one channel each.
      for (float& each : weights) each *= std::sqrt(static_cast<float>(channels));
      // Some have nothing but a row.
      const auto kernels = weights.begin();
      for (int i = 0; i < std::min(channels, 16) * window; ++i)
        if (i / across % side != side / 2) kernels[i] = 0;
      conv.weights = weights.data();
      maps_.push_back(Sampled(of, of.height, of.width, [&](int c, int y, int x) {
        double v = conv.bias != nullptr ? conv.bias[c] : 0;
        for (int i = 0; i < window; ++i)
          v +=
              conv.weights[c * window + i] * of.At(c, y + i / across - side / 2, x + i % across - across / 2);
        return Ended(conv, v, c, y, x);
      }));
      return graph_.AddDepthwise(conv);
    });
  }

  /// Of the largest of some scores its share.
  FeatureMap AddChosen(const FeatureMap& scores, const std::vector<int>& widths) {
    const Planes of = Read(scores);
    double sum = 0;
    int best = 0;
    for (int c = 0; c < of.channels; ++c) {
      sum += std::exp(of.At(c, 0, 0));
      if (of.At(c, 0, 0) > of.At(best, 0, 0)) best = c;
    }
    Planes made{0, 1, 1, {}};
    for (int c = 0; c < of.channels; ++c) {
      const int width = widths[static_cast<size_t>(c)];
      made.channels += width;
      made.values.insert(made.values.end(), static_cast<size_t>(width),
                         c == best ? std::exp(of.At(c, 0, 0)) / sum : 0.0);
    }
    maps_.push_back(std::move(made));
    return graph_.AddChosen(scores, widths);
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
    const auto of = [&](const FeatureMap& map) -> const Planes& {
      return maps_[static_cast<size_t>(map.index)];
    };
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
    const auto of = [&](const FeatureMap& map) -> const Planes& {
      return maps_[static_cast<size_t>(map.index)];
    };
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

  /// By all pixels of the map that lie in a pixel of the smaller one, be it in part.
  FeatureMap AddPooled(const FeatureMap& from, int side) {
    const Planes of = Read(from);
    const int height = of.height / side, width = of.width / side;
    maps_.push_back(Sampled(of, height, width, [&](int c, int y, int x) {
      double most = -HUGE_VAL;
      for (int v = 0; v < of.height; ++v) {
        for (int u = 0; u < of.width; ++u) {
          const bool within = (v + 1) * height > y * of.height && v * height < (y + 1) * of.height &&
                              (u + 1) * width > x * of.width && u * width < (x + 1) * of.width;
          if (within) most = std::max(most, of.At(c, v, u));
        }
      }
      return most;
    }));
    return graph_.AddPooled(from, side);
  }

  /// Stored as AddGroupNorm's.
  FeatureMap AddEnergyNorm(const FeatureMap& from) {
    const Planes of = Read(from);
    const int padded = PaddedChannels(of.channels);
    std::vector<float> weight, bias;
    std::vector<double> norms;
    double mean = 0;
    for (int c = 0; c < of.channels; ++c) {
      weight.push_back(0.3f * static_cast<float>(c % 5) - 0.6f);
      bias.push_back(0.01f * static_cast<float>(c));
      double energy = 0;
      for (int i = 0; i < of.height * of.width; ++i)
        energy += std::pow(of.At(c, i / of.width, i % of.width), 2);
      norms.push_back(std::sqrt(energy));
      mean += norms.back() / of.channels;
    }
    constexpr float kEpsilon = 1e-2f;
    Planes made{padded + of.channels, 1, 1, std::vector<double>(static_cast<size_t>(padded + of.channels))};
    for (size_t c = 0; c < norms.size(); ++c) {
      made.values[c] = 1 + weight[c] * norms[c] / (mean + kEpsilon);
      made.values[static_cast<size_t>(padded) + c] = bias[c];
    }
    maps_.push_back(std::move(made));
    return graph_.AddEnergyNorm(from, weight.data(), bias.data(), kEpsilon);
  }

  FeatureMap AddResized(const FeatureMap& from, const FeatureMap& like, Resizing resizing,
                        const std::vector<AddedMap>& added = {}) {
    const Planes of = maps_[static_cast<size_t>(from.index)], size = maps_[static_cast<size_t>(like.index)];
    maps_.push_back(Sampled(of, size.height, size.width, [&](int c, int y, int x) {
      const double more = Added(added, c, y, x);
      if (resizing == Resizing::kBilinear) return Enlarged(of, size.height, size.width, c, y, x) + more;
      // PyTorch's way: a ratio in float32.
      const auto shown = [](int at, int in, int out) {
        return static_cast<int>(static_cast<float>(at) * (static_cast<float>(in) / static_cast<float>(out)));
      };
      return of.At(c, shown(y, of.height, size.height), shown(x, of.width, size.width)) + more;
    }));
    return graph_.AddResized(from, like, resizing, added);
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
          if (output.adds_input == InputAdded::kBilinear)
            value += Enlarged(maps_[0], maps_[0].height * scale, maps_[0].width * scale, c, y, x);
          if (output.adds_input == InputAdded::kNearest)
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

  /// The channels of a map that are read.
  Planes Read(const FeatureMap& map) const {
    const Planes& all = maps_[static_cast<size_t>(map.index)];
    Planes some{map.channels, all.height, all.width, {}};
    return Sampled(some, all.height, all.width,
                   [&](int c, int y, int x) { return all.At(map.first + c, y, x); });
  }

  /// A pixel at another size, between the centres of pixels, which lie at halves.
  static double Enlarged(const Planes& of, int height, int width, int c, int y, int x) {
    const auto place = [](int at, int in, int out) {
      return std::clamp((at + 0.5) * in / out - 0.5, 0.0, in - 1.0);
    };
    const double v = place(y, of.height, height), u = place(x, of.width, width);
    const int top = static_cast<int>(v), left = static_cast<int>(u);
    const double down = v - top, right = u - left;
    return (1 - down) * ((1 - right) * of.At(c, top, left) + right * of.At(c, top, left + 1)) +
           down * ((1 - right) * of.At(c, top + 1, left) + right * of.At(c, top + 1, left + 1));
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
      case ConvEnd::kWeighGelu:
        return added(0) * gelu(v) + (conv.added.size() > 1 ? added(1) : 0);
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

inline std::vector<const ConvKernels*> AllKernels() {
  std::vector<const ConvKernels*> all;
  for (const char* isa : kInstructionSets) {
    if (const ConvKernels* kernels = FindConvKernels(isa)) all.push_back(kernels);
  }
  return all;
}

inline constexpr double kNear =
    1e-5;  // of values up to about 1, through a few layers of F(4x4, 3x3) in float32

}  // namespace imgmill
