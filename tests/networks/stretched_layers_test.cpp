// Layers whose pixels depend on the sides of a map, and what is done with what they give, against the same by
// definition.
#include <stdexcept>
#include <vector>

#include "networks/graph_twin.h"
#include "networks/kernels/map_resizing.h"

using namespace imgmill;

namespace {

/// Squares, and sides that are no multiple of them.
constexpr int kShapes[][2] = {{1, 1}, {8, 8}, {9, 40}, {15, 31}, {17, 8}, {50, 23}, {70, 110}};

/// Weighs a map by what its channels look like at two sizes.
FeatureMap Modulated(Twin& net, const FeatureMap& x, const FeatureMap& input) {
  std::vector<FeatureMap> seen(1);
  for (int level = 1; level < 3; ++level)
    seen.push_back(net.AddDepthwise(net.AddPooled(x.Channels(12 * level, 12), 4 * level), 3));
  seen[0] = net.AddDepthwise(x.Channels(0, 12), 3);
  for (size_t level = 1; level < 3; ++level) seen[level] = net.AddResized(seen[level], x, Resizing::kNearest);
  GraphConv weigh;
  weigh.end = ConvEnd::kWeighGelu;
  weigh.added = {{x, 1.0f}, {input, 0.5f}};
  return net.Add(seen, 36, 1, weigh);
}

}  // namespace

TEST_CASE("channels are weighed by the largest values of squares, in images of any size") {
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& shape : kShapes) {
      CAPTURE(kernels->name);
      CAPTURE(shape[0]);
      CAPTURE(shape[1]);
      Twin net(*kernels, {.least = 8, .continued = Continuation::kMirror}, shape[0], shape[1], 71);
      FeatureMap x = net.Add({net.input()}, 36, 3);
      const FeatureMap norm = net.AddEnergyNorm(x);
      x = net.AddScaled(x, norm.Channels(0, 36), norm.Channels(48, 36), {});
      x = net.Add({Modulated(net, x, x)}, 36, 3);
      x = net.Add({Modulated(net, net.AddNormalized(x), x)}, 36, 3);
      CHECK(net.Check({.map = net.Add({x}, 48, 3), .shuffle = 4, .adds_input = InputAdded::kBilinear}, 2) <
            10 * kNear);
    }
  }
}

TEST_CASE("a pooled map is enlarged between pixels, activated and multiplied") {
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& shape : kShapes) {
      CAPTURE(kernels->name);
      CAPTURE(shape[0]);
      CAPTURE(shape[1]);
      Twin net(*kernels, {.least = 8, .continued = Continuation::kMirror}, shape[0], shape[1], 72);
      FeatureMap x = net.input();
      for (int block = 0; block < 2; ++block) {
        const FeatureMap some = net.Add({x}, 20, 3);
        FeatureMap gate = net.AddDepthwise(net.AddPooled(some, 8), 3);
        gate = net.AddFunction(net.AddResized(gate, some, Resizing::kBilinear), MapFunction::kGelu);
        gate = net.AddFunction(net.AddProduct(gate, some), MapFunction::kGelu);
        x = net.Add({net.Add({x}, 12, 3), gate}, 24, 1);
      }
      CHECK(net.Check({.map = net.Add({x}, 27, 3), .shuffle = 3, .adds_input = InputAdded::kBilinear}, 3) <
            10 * kNear);
    }
  }
}

TEST_CASE("one of several layers is chosen by a mean, and what it sees is enlarged and added to") {
  for (const ConvKernels* kernels : AllKernels()) {
    for (const auto& shape : kShapes) {
      CAPTURE(kernels->name);
      CAPTURE(shape[0]);
      CAPTURE(shape[1]);
      Twin net(*kernels, {.least = 8, .continued = Continuation::kMirror}, shape[0], shape[1], 74);
      GraphConv gelu;
      gelu.end = ConvEnd::kGelu;
      FeatureMap x = net.Add({net.input()}, 20, 3);
      for (int block = 0; block < 2; ++block) {
        FeatureMap striped = net.AddDepthwise(net.AddDepthwise(x, 1, {}, 11), 11, gelu, 1);
        striped = net.AddDepthwise(striped, 3, {}, 5);
        FeatureMap small = net.AddFunction(net.AddStrided(x, 20, 4, 4), MapFunction::kGelu);
        small = net.AddDepthwise(small, 3);
        const FeatureMap chosen = net.AddChosen(net.Add({net.AddMean(striped)}, 3, 1), {3, 17, 5});
        for (const Resizing resizing : {Resizing::kBilinear, Resizing::kNearest}) {
          const FeatureMap around = net.AddResized(small, x, resizing, {{x, 0.5f}});
          const FeatureMap asked = net.AddProduct(net.Add({striped}, 25, 1), net.Add({around}, 25, 1));
          GraphConv added;
          added.added = {{x, 1.0f}};
          x = net.Add({net.AddScaled(asked, chosen, {}, {})}, 20, 1, added);
        }
      }
      CHECK(net.Check(net.Add({x}, 12, 3), 2, 3) < 10 * kNear);
    }
  }
}

TEST_CASE("no bit of what is pooled and enlarged depends on the number of threads") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  const auto made = [&](int threads) {
    Twin net(*kernels, {.least = 8}, 90, 131, 73);
    FeatureMap x = net.Add({net.input()}, 36, 3);
    for (int block = 0; block < 3; ++block) x = net.Add({Modulated(net, x, x)}, 36, 3);
    CHECK(net.Check(net.Add({x}, 3, 3), 1, threads) < 10 * kNear);
    return net.made();
  };
  const std::vector<float> alone = made(1);
  for (const int threads : {2, 5}) CHECK(made(threads) == alone);
}

TEST_CASE("squares cover a side, each as long as the others or a pixel longer") {
  for (int size = 1; size <= 100; ++size) {
    for (int wanted = 1; wanted <= size; ++wanted) {
      int end = 0;
      for (int at = 0; at < wanted; ++at) {
        const StretchedSquare square(at, size, wanted);
        REQUIRE((square.first <= end && square.end > end));
        REQUIRE(square.end - square.first <= (size + wanted - 1) / wanted + 1);
        end = square.end;
      }
      REQUIRE(end == size);
    }
  }
  // Above a side's first pixel it goes on evenly.
  const StretchedSquare above(-1, 10, 3);
  CHECK(above.first == -4);
  CHECK(above.end == 0);
}

TEST_CASE("a pixel whose squares are stretched by the image's sides sees all of it") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  Twin net(*kernels, {.least = 8}, 8, 8, 9);
  const FeatureMap small = net.AddPooled(net.Add({net.input()}, 8, 3), 4);
  const FeatureMap x = net.AddResized(small, net.input(), Resizing::kNearest);
  net.graph().Finish({.map = net.Add({x}, 3, 3)});
  CHECK(net.graph().radius() == -1);
}

TEST_CASE("blocks that look at small maps keep two of their own size, whatever their number") {
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  const auto bytes = [&](int blocks, int height) {
    Twin net(*kernels, {.least = 8}, 8, 8, 9);
    FeatureMap x = net.Add({net.input()}, 36, 3);
    for (int block = 0; block < blocks; ++block) x = net.Add({Modulated(net, x, x)}, 36, 3);
    net.graph().Finish({.map = net.Add({x}, 3, 3)});
    return static_cast<double>(net.graph().WorkBytes(height, 1000, 1));
  };
  constexpr double kRow = 1002 * 48 * sizeof(float);
  const double more = (bytes(6, 1600) - bytes(6, 800)) / 800;
  CHECK(more > 1.9 * kRow);
  CHECK(more < 2.2 * kRow);  // and the small maps
  CHECK(bytes(6, 800) - bytes(3, 800) < 4'000'000);
}

TEST_CASE(
    "scores as many as there are widths are chosen among, and only depthwise kernels may be no squares") {
  LayerGraph graph({});
  CHECK_THROWS_AS(graph.AddChosen(graph.input(), {1, 2}), std::logic_error);
  CHECK_NOTHROW(graph.AddChosen(graph.input(), {1, 2, 3}));
  const std::vector<float> weights(9 * 33, 0.5f);
  GraphConv conv;
  conv.from = {graph.input()};
  conv.out_channels = 3;
  conv.weights = weights.data();
  conv.side = 1;
  conv.across = 3;
  CHECK_THROWS_AS(graph.Add(conv), std::logic_error);
  CHECK_NOTHROW(graph.AddDepthwise(conv));
  conv.across = kMostDepthwiseSide + 2;
  CHECK_THROWS_AS(graph.AddDepthwise(conv), std::logic_error);
}

TEST_CASE("an image that is added enlarged is one of pixels, without a margin") {
  for (const LayerGraph::Input& input : {LayerGraph::Input{.unshuffle = 2}, LayerGraph::Input{.margin = 2}}) {
    LayerGraph graph(input);
    CHECK_THROWS_AS(graph.Finish({.map = graph.input(), .adds_input = InputAdded::kBilinear}),
                    std::logic_error);
  }
}
