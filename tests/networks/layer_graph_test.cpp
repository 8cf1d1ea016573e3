// Graphs of layers against the same layers by definition.
#include "networks/kernels/layer_graph.h"

#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "networks/graph_twin.h"

using namespace imgmill;

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
      mask.added = {{net.AddResized(small, x, Resizing::kBilinear), 1.0f}};
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
      CHECK(net.Check({.map = x, .shuffle = 4, .adds_input = InputAdded::kNearest}, 2) < kNear);
      CHECK(net.Check(
                {.map = x, .shuffle = 4, .adds_input = InputAdded::kNearest, .end = MapFunction::kSigmoid},
                2) < kNear);
      // Of an image that is continued to a larger one.
      Twin larger(*kernels, {.least = 7, .multiple = 4}, shape[0], shape[1], 4);
      x = larger.Add({larger.input()}, 12, 3);
      CHECK(larger.Check({.map = x, .shuffle = 2, .adds_input = InputAdded::kNearest}, 2) < kNear);
    }
  }
  // Of one whose squares are channels.
  const ConvKernels* kernels = BestConvKernels();
  REQUIRE(kernels != nullptr);
  Twin squares(*kernels, {.unshuffle = 2}, 7, 12, 4);
  const FeatureMap x = squares.Add({squares.input()}, 48, 3);
  CHECK(squares.Check({.map = x, .shuffle = 4, .adds_input = InputAdded::kNearest}, 2) < kNear);
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
        CHECK(net.Check({.map = last, .shuffle = 2, .margin = 3, .adds_input = InputAdded::kNearest}, 2, 2) <
              kNear);
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
  net.graph().Finish({.map = net.Add({x}, 48, 3), .shuffle = 4, .adds_input = InputAdded::kNearest});
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
