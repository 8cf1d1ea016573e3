#include "networks/architectures/uni_enlarging.h"

#include "networks/weights/weight_file.h"

namespace imgmill {
namespace {

using Kind = UniUpsampleKind;

constexpr float kSlope = 0.2f, kSmallSlope = 0.01f;  // of leaky ReLUs; the small one behind a first layer

/// The layers of one end, by their numbers.
class Numbered {
 public:
  Numbered(GraphBuilder& graph, const std::string& name) : graph_(graph), name_(name) {}

  FeatureMap Conv(int64_t out, const FeatureMap& from, float slope = 1) {
    return graph_.Conv(Next(), static_cast<int>(out), {from}, {.slope = slope});
  }
  /// A convolution, and a layer without weights.
  FeatureMap Shuffled(int64_t out, int64_t by, const FeatureMap& from) {
    const ConvWeights conv = graph_.layers().Conv(Next(), out * by * by, from.channels);
    ++number_;
    return graph_.Shuffled(conv, {from}, {.side = static_cast<int>(by)});
  }
  /// A convolution, nearest neighbours and a leaky ReLU.
  FeatureMap Nearest(int64_t out, int64_t by, const FeatureMap& from) {
    const ConvWeights conv = graph_.layers().Conv(Next(), out, from.channels);
    number_ += 2;
    if (by == 2) return graph_.Conv(conv, {from}, {.slope = kSlope}).Doubled();
    return graph_.Shuffled(Repeated(conv, by * by), {from}, {.side = static_cast<int>(by)},
                           {.slope = kSlope});
  }
  void PassOver() { ++number_; }
  std::string Next() { return name_ + "." + std::to_string(number_++); }

 private:
  /// Each output so many times, one after the other.
  static ConvWeights Repeated(const ConvWeights& conv, int64_t times) {
    if (!conv.weight.defined() || !conv.bias.defined()) return conv;  // Finish says what is wrong
    const auto repeated = [&](const Values& rows) {
      const int64_t out = rows.side(0);
      Values::Shape shape = rows.shape();
      shape[0] = out * times;
      const Values all = Values::Joined(std::vector<Values>(static_cast<size_t>(times), rows));
      return all.As({times, out, rows.count() / out}).InOrder({1, 0, 2}).As(std::move(shape));
    };
    ConvWeights all = conv;
    all.weight = repeated(conv.weight);
    all.bias = repeated(conv.bias);
    return all;
  }

  GraphBuilder& graph_;
  const std::string& name_;
  int64_t number_ = 0;  // what is without weights has a number, too
};

}  // namespace

Status CheckUniEnlarging(const std::string& network, const UniUpsampleShape& shape) {
  if (shape.kind > Kind::kDySample)
    return WeightError("it is " + network + " with an upsampler of kind " +
                       std::to_string(static_cast<int>(shape.kind)) + ", which is not known: 0 to 4 are");
  if (shape.kind == Kind::kDySample && shape.in % shape.groups != 0)
    return WeightError("it is " + network + " whose DySample has groups of unequal size, which is not known");
  return {};
}

GraphOutput AddUniEnlarging(GraphBuilder& graph, const std::string& name, const UniUpsampleShape& shape,
                            const FeatureMap& features) {
  graph.layers().PassOver(name + ".MetaUpsample");
  Numbered layers(graph, name);
  FeatureMap x = features;
  switch (shape.kind) {
    case Kind::kDirect:
      return {.map = layers.Conv(shape.bands * shape.scale * shape.scale, x),
              .shuffle = static_cast<int>(shape.scale)};
    case Kind::kShuffle:
      x = layers.Conv(shape.middle, x, kSmallSlope);
      layers.PassOver();
      for (const int64_t by : shape.steps()) x = layers.Shuffled(shape.middle, by, x);
      break;
    case Kind::kNearest:
      for (const int64_t by : shape.steps()) x = layers.Nearest(shape.in, by, x);
      x = layers.Conv(shape.in, x, kSlope);
      layers.PassOver();
      break;
    case Kind::kDySample:
      return {.map = graph.Sampled(layers.Next(), x, static_cast<int>(shape.scale),
                                   static_cast<int>(shape.groups), static_cast<int>(shape.bands))};
    default:
      break;
  }
  return {.map = layers.Conv(shape.bands, x)};
}

}  // namespace imgmill
