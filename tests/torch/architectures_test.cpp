// Networks against spandrel's: weights and images by a formula, outputs that spandrel 0.4.2 gave for them
// (tests/golden/make_upscaler_golden.py). And what is refused, by the tensor's name.
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>

#include "networks/weights/program_files.h"
#include "torch/formula_weights.h"
#include "torch/onnx/onnx_network.h"
#include "torch/runtime.h"

using namespace imgmill;

namespace {

/// How a file may call the numbered modules of an RRDBNet.
using Naming = std::function<std::string(const std::string& numbered)>;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

/// With one block of 8 features, as RRDBNet's numbered modules name it.
void AddRrdb(FormulaWeights& weights, int unshuffle, int ups, const Naming& call) {
  const auto add = [&](const std::string& name, int out, int in) {
    weights.AddConvolution(name, out, in, call(name));
  };
  add("model.0", 8, 3 * unshuffle * unshuffle);
  for (int dense = 1; dense <= 3; ++dense) {
    for (int c = 1; c <= 5; ++c)
      add("model.1.sub.0.RDB" + std::to_string(dense) + ".conv" + std::to_string(c) + ".0", c < 5 ? 32 : 8,
          8 + 32 * (c - 1));
  }
  add("model.1.sub.1", 8, 8);
  for (int up = 0; up < ups; ++up) add("model." + std::to_string(3 + 3 * up), 8, 8);
  add("model." + std::to_string(2 + 3 * ups), 8, 8);
  add("model." + std::to_string(4 + 3 * ups), 3, 8);
}

FormulaWeights Rrdb(int unshuffle, int ups, const Naming& call) {
  FormulaWeights weights;
  AddRrdb(weights, unshuffle, ups, call);
  return weights;
}

/// For four times the size.
std::string InEsrgansWords(std::string name) {
  for (const auto& [from, to] : {std::pair{"model.10", "conv_last"},
                                 {"model.0", "conv_first"},
                                 {"model.3", "upconv1"},
                                 {"model.6", "upconv2"},
                                 {"model.8", "HRconv"},
                                 {"model.1.sub.0", "RRDB_trunk.0"},
                                 {"model.1.sub.1", "trunk_conv"}})
    name = Replaced(name, from, to);
  return name.ends_with(".0") ? name.substr(0, name.size() - 2) : name;
}

std::string InTodaysWords(std::string name) {
  name = InEsrgansWords(name);
  for (const auto& [from, to] : {std::pair{"RRDB_trunk", "body"},
                                 {"RDB", "rdb"},
                                 {"trunk_conv", "conv_body"},
                                 {"upconv", "conv_up"},
                                 {"HRconv", "conv_hr"}})
    name = Replaced(name, from, to);
  return name;
}

struct Loader {
  explicit Loader(KernelChoice kernels = KernelChoice::kFastest) {
    Result<std::unique_ptr<MemoryManager>> made = MemoryManager::Create({});
    REQUIRE(made.ok());
    manager = *std::move(made);
    runtime = MakeTorchRuntime(*manager, 2, kernels);
    REQUIRE(runtime->AddDevices("cpu", 0).ok());
  }
  Result<std::unique_ptr<UpscaleModel>> Load(const FormulaWeights& weights) const {
    return runtime->LoadUpscaler(weights.Write(folder));
  }
  WeightFolder folder;
  std::unique_ptr<MemoryManager> manager;
  std::unique_ptr<ModelRuntime> runtime;
};

/// The largest difference from what is written down under this name.
double DifferenceFrom(const std::string& wanted, UpscaleModel& model) {
  std::ifstream file(IMGMILL_SOURCE_DIR "/tests/golden/upscaler_outputs.csv");
  std::string line, name;
  std::vector<float> output;
  double largest = -1;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    if (!std::getline(fields, name, ',') || name != wanted) continue;
    char comma = 0;
    int height = 0, width = 0;
    size_t index = 0;
    double value = 0;
    fields >> height >> comma >> width >> comma >> index >> comma >> value;
    if (output.empty()) {
      Formula values("input");
      std::vector<float> input(3 * static_cast<size_t>(height) * static_cast<size_t>(width));
      for (float& each : input) each = static_cast<float>(values.Next() + 0.5);
      output.resize(model.OutputFloats(height, width));
      REQUIRE(model.Forward(input.data(), output.data(), 1, height, width, WorkPlace::Device(0)));
    }
    largest =
        std::max(largest, std::abs(std::clamp(value, 0.0, 1.0) - static_cast<double>(output.at(index))));
  }
  return largest;
}

void CheckEqual(const std::string& wanted, const FormulaWeights& weights, int scale) {
  CAPTURE(wanted);
  const Loader loader;
  const Result<std::unique_ptr<UpscaleModel>> model = loader.Load(weights);
  if (!model) FAIL(model.error().message);
  CHECK((*model)->info().scale == scale);
  const double difference = DifferenceFrom(wanted, **model);
  CHECK(difference >= 0);
  CHECK(difference < 1e-5);
}

/// A convolution of SPAN as it is trained, or the one that it comes to.
void AddConv3xc(FormulaWeights& weights, const std::string& name, int out, int in, bool fused) {
  const auto add = [&](const std::string& part, int outputs, int inputs, int side) {
    weights.AddConvolution(name + part, outputs, inputs, name + part, side);
  };
  add(".eval_conv", out, in, 3);
  if (fused) return;
  add(".sk", out, in, 1);
  add(".conv.0", 2 * in, in, 1);
  add(".conv.1", 2 * out, 2 * in, 3);
  add(".conv.2", out, 2 * out, 1);
}

FormulaWeights Span(int scale, bool fused, bool normalizes) {
  FormulaWeights weights;
  AddConv3xc(weights, "conv_1", 8, 3, fused);
  for (int block = 1; block <= 6; ++block) {
    for (int c = 1; c <= 3; ++c)
      AddConv3xc(weights, "block_" + std::to_string(block) + ".c" + std::to_string(c) + "_r", 8, 8, fused);
  }
  AddConv3xc(weights, "conv_2", 8, 8, fused);
  weights.AddConvolution("conv_cat", 8, 32, "conv_cat", 1);
  // Its layers see values of hundreds.
  weights.Add("upsampler.0.weight", {3 * scale * scale, 8, 3, 3}, "upsampler.0.weight", 1.0 / 64);
  weights.Add("upsampler.0.bias", {3 * scale * scale}, "upsampler.0.bias");
  if (!normalizes) weights.Add("no_norm", {1}, "no_norm");
  return weights;
}

std::string AsNumbered(const std::string& name) {
  return name;
}

}  // namespace

TEST_CASE("RRDBNet is spandrel's, under three sets of names and at every scale") {
  for (const auto& words : {Naming(AsNumbered), Naming(InEsrgansWords), Naming(InTodaysWords)})
    CheckEqual("rrdb_x4", Rrdb(1, 2, words), 4);
  CheckEqual("rrdb_x2", Rrdb(1, 1, AsNumbered), 2);
  CheckEqual("rrdb_x1", Rrdb(1, 0, AsNumbered), 1);
  CheckEqual("rrdb_squares_x2", Rrdb(2, 2, AsNumbered), 2);
  CheckEqual("rrdb_squares_x2", Rrdb(2, 2, InTodaysWords), 2);
  CheckEqual("rrdb_squares_x1", Rrdb(4, 2, AsNumbered), 1);
}

TEST_CASE("SPAN is spandrel's, with convolutions as trained and fused, with and without a mean taken away") {
  CheckEqual("span_x4", Span(4, false, true), 4);
  CheckEqual("span_x2_fused", Span(2, true, true), 2);
  CheckEqual("span_x2_unnormalized", Span(2, false, false), 2);
}

TEST_CASE("a tensor that is missing, left over or of another shape is named, and what was expected") {
  const Loader loader;
  const auto why = [&](const FormulaWeights& weights) {
    const Result<std::unique_ptr<UpscaleModel>> model = loader.Load(weights);
    return model ? std::string() : model.error().message;
  };
  const auto without = [](const std::string& left_out) {
    return Rrdb(1, 2, [&](const std::string& name) { return name == left_out ? "elsewhere" : name; });
  };
  CHECK(why(without("model.8")).find("model.8.weight of 8x8x3x3 is missing") != std::string::npos);
  FormulaWeights more = Rrdb(1, 2, AsNumbered);
  more.Add("x", {4}, "extra.bias");
  CHECK(why(more).find("extra.bias (4) does not belong to any layer") != std::string::npos);
  FormulaWeights interactive = Rrdb(1, 2, InTodaysWords);
  interactive.Add("x", {8, 64}, "am_list.0.fc.0.weight");
  CHECK(why(interactive).find("am_list.0.fc.0.weight (8x64) does not belong to any layer") !=
        std::string::npos);
  const auto told = [&](int unshuffle) {
    FormulaWeights weights = Rrdb(unshuffle, 2, InTodaysWords);
    weights.Add("a", {8, 64}, "am_list.0.fc.0.weight");
    weights.Add("b", {64, 2}, "dd_embed.0.weight");
    for (const char* name : {"de_net.conv_first.0", "de_net.body.0.0.conv1"})
      weights.AddConvolution(name, 8, 8, name);
    weights.Add("c", {4, 8}, "de_net.fc_degree.0.0.weight");
    return why(weights);
  };
  CHECK(told(1).find("de_net.") != std::string::npos);
  CHECK(told(2).find("it is an MMRealSR for x2 or x1") != std::string::npos);
  FormulaWeights odd = Rrdb(1, 2, [](const std::string& name) { return name == "model.6" ? "gone" : name; });
  odd.AddConvolution("model.6", 8, 9, "model.6");
  CHECK(why(odd).find("model.6.weight is 8x9x3x3, not 8x8x3x3") != std::string::npos);
}

TEST_CASE("what training programs put in front of all names is dropped, and none of the network's own") {
  const Loader loader;
  for (const std::string prefix : {"netG.", "model.", "net_g.module.", "generator.model."}) {
    CAPTURE(prefix);
    const Result<std::unique_ptr<UpscaleModel>> model =
        loader.Load(Rrdb(1, 2, [&](const std::string& name) { return prefix + name; }));
    if (!model) FAIL(model.error().message);
    CHECK((*model)->info().architecture == "RRDBNet");
  }
}

TEST_CASE("a network is found below a prefix that others stand beside") {
  const Loader loader;
  const auto below = [](const std::string& prefix) {
    return [prefix](const std::string& name) { return prefix + InTodaysWords(name); };
  };
  const auto loaded = [&](const FormulaWeights& weights) {
    Result<std::unique_ptr<UpscaleModel>> model = loader.Load(weights);
    if (!model) FAIL(model.error().message);
    CHECK((*model)->info().architecture == "RRDBNet");
    return *std::move(model);
  };
  for (const std::string prefix : {"params_ema.", "foo.bar."}) {
    CAPTURE(prefix);
    CHECK(loaded(Rrdb(1, 2, below(prefix)))->info().aside.empty());
  }
  FormulaWeights with_loss = Rrdb(1, 2, below("model."));
  with_loss.AddConvolution("a", 8, 8, "loss.vgg.0");
  const std::unique_ptr<UpscaleModel> model = loaded(with_loss);
  CHECK(model->info().taken == "model");
  CHECK(model->info().aside == std::vector<std::string>{"2 tensors below loss."});

  const auto twice = [&](const std::string& second) {
    FormulaWeights both = Rrdb(1, 2, below("model."));
    AddRrdb(both, 1, 2, below(second));
    return both;
  };
  CHECK(loaded(twice("ema_model."))->info().taken == "ema_model");
  CHECK(loaded(twice("model_ema."))->info().taken == "model_ema");
  const Result<std::unique_ptr<UpscaleModel>> two = loader.Load(twice("netD."));
  REQUIRE(!two);
  CHECK(two.error().message.find("several networks: model. (RRDBNet), netD. (RRDBNet)") != std::string::npos);
}

TEST_CASE("the nearest network is looked for below prefixes, and what stands elsewhere is told") {
  const Loader loader;
  FormulaWeights weights;
  for (const std::string name : {"conv_first", "conv_body", "conv_last"})
    weights.AddConvolution(name, 8, 8, "foo.bar." + name);
  weights.Add("x", {4}, "head.bias");
  const Result<std::unique_ptr<UpscaleModel>> model = loader.Load(weights);
  REQUIRE(!model);
  CHECK(model.error().message.find("the nearest, below foo.bar., is RRDBNet") != std::string::npos);
  CHECK(model.error().message.find("1 tensor stands elsewhere (head.bias)") != std::string::npos);
}

TEST_CASE("a pipe is no model, and nothing waits for who would write to it") {
  const WeightFolder folder;
  const std::string pipe = folder.Write("pipe", "");
  REQUIRE(std::remove(pipe.c_str()) == 0);
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(!IsOnnx(pipe));
}

TEST_CASE("a file of no known network is told which is the nearest and what it lacks") {
  const Loader loader;
  FormulaWeights weights;
  for (const std::string name : {"conv_first", "conv_body", "conv_last"})
    weights.AddConvolution(name, 8, 8, name);
  const Result<std::unique_ptr<UpscaleModel>> model = loader.Load(weights);
  REQUIRE(!model);
  CHECK(model.error().message.find("the nearest is RRDBNet") != std::string::npos);
  CHECK(model.error().message.find("body.0.rdb1.conv1.weight is missing") != std::string::npos);
}

TEST_CASE("weights that are infinite or not numbers are refused by name, and such outputs are errors") {
  const auto compact = [](double factor) {
    FormulaWeights weights;
    weights.AddConvolution("body.0", 8, 3, "body.0");
    weights.Add("body.1.weight", {8}, "body.1.weight", factor);
    weights.Add("body.2.weight", {12, 8, 3, 3}, "body.2.weight", factor);
    weights.Add("body.2.bias", {12}, "body.2.bias");
    return weights;
  };
  for (const KernelChoice kernels : {KernelChoice::kReference, KernelChoice::kFastest}) {
    CAPTURE(static_cast<int>(kernels));
    const Loader loader(kernels);
    const Result<std::unique_ptr<UpscaleModel>> infinite = loader.Load(compact(1e300));
    REQUIRE(!infinite);
    CHECK(infinite.error().message.find("body.1.weight has values that are infinite") != std::string::npos);
    // Each weight is finite, but not what comes of them.
    const Result<std::unique_ptr<UpscaleModel>> overflowing = loader.Load(compact(1e30));
    if (!overflowing) FAIL(overflowing.error().message);
    std::vector<float> input(3 * 8 * 8, 0.5f), output((*overflowing)->OutputFloats(8, 8));
    const Status ran = (*overflowing)->Forward(input.data(), output.data(), 1, 8, 8, WorkPlace::Device(0));
    REQUIRE(!ran);
    CHECK(ran.error().code == Code::kModelError);
    CHECK(ran.error().message.find("SRVGGNetCompact) gave values that are infinite") != std::string::npos);
  }
}

TEST_CASE("the bands in which LibTorch's RRDBNet enlarges cannot be seen") {
  const Loader loader(KernelChoice::kReference);
  const Result<std::unique_ptr<UpscaleModel>> model = loader.Load(Rrdb(1, 2, AsNumbered));
  REQUIRE(model.ok());
  // Bands of 32 rows end elsewhere in the image when the first 8 rows are cut off; what is seen of these rows
  // ends at the receptive radius.
  constexpr int kRows = 70, kColumns = 12, kCut = 8;
  Formula values("bands");
  std::vector<float> whole(3 * kRows * kColumns);
  for (float& each : whole) each = static_cast<float>(values.Next() + 0.5);
  const auto enlarge = [&](int cut) {
    std::vector<float> input;
    for (int plane = 0; plane < 3; ++plane) {
      const auto begin = whole.begin() + plane * kRows * kColumns;
      input.insert(input.end(), begin + cut * kColumns, begin + kRows * kColumns);
    }
    std::vector<float> output((*model)->OutputFloats(kRows - cut, kColumns));
    REQUIRE((*model)->Forward(input.data(), output.data(), 1, kRows - cut, kColumns, WorkPlace::Device(0)));
    return output;
  };
  const std::vector<float> tall = enlarge(0), low = enlarge(kCut);
  const int radius = (*model)->info().receptive_radius;
  REQUIRE(radius == 19);
  float largest = 0;
  for (int plane = 0; plane < 3; ++plane) {
    for (int y = (kCut + radius) * 4; y < kRows * 4; ++y) {
      for (int x = 0; x < kColumns * 4; ++x) {
        const int in_tall = (plane * kRows * 4 + y) * kColumns * 4 + x;
        const int in_low = (plane * (kRows - kCut) * 4 + y - kCut * 4) * kColumns * 4 + x;
        largest = std::max(largest,
                           std::abs(tall[static_cast<size_t>(in_tall)] - low[static_cast<size_t>(in_low)]));
      }
    }
  }
  CHECK(largest < 1e-5f);
}

TEST_CASE("a compact network says which of its tensors is missing, left over or of another shape") {
  struct Change {
    const char* without;  ///< nothing is left out where it is empty
    const char* added;
    std::vector<int> shape;
    const char* words;
  };
  const Change changes[] = {
      {"body.2.weight", "body.2.weight", {8, 8, 1, 1}, "body.2.weight is 8x8x1x1, not 8x8x3x3"},
      {"body.2.bias", "", {}, "body.2.bias of 8 is missing"},
      {"body.3.weight", "", {}, "body.3.weight of 8 is missing"},
      {"", "head.weight", {3, 3}, "head.weight (3x3) does not belong to any layer"},
      {"body.0.weight", "body.0.weight", {8, 2, 3, 3}, "body.0.weight is 8x2x3x3, not 8x3x3x3"},
      {"body.4.weight", "body.4.weight", {47, 8, 3, 3}, "body.4.weight gives 47 channels"},
  };
  const Loader house;
  for (const Change& change : changes) {
    CAPTURE(change.words);
    FormulaWeights weights;
    const auto add = [&](const std::string& name, const std::vector<int>& shape) {
      if (name != change.without) weights.Add(name, shape, name);
    };
    for (int i = 0; i < 3; ++i) {
      const std::string name = "body." + std::to_string(2 * i);
      const int out = i < 2 ? 8 : 48;
      add(name + ".weight", {out, i == 0 ? 3 : 8, 3, 3});
      add(name + ".bias", {out});
      if (i < 2) add("body." + std::to_string(2 * i + 1) + ".weight", {8});
    }
    if (*change.added != '\0') weights.Add(change.added, change.shape, change.added);
    const WeightFolder folder;
    const auto loaded = house.runtime->LoadUpscaler(weights.Write(folder));
    REQUIRE_FALSE(loaded.ok());
    CHECK(loaded.error().message.find(change.words) != std::string::npos);
  }
}

TEST_CASE("a program that gives images is no embedding network") {
  const Loader house;
  const auto loaded = house.runtime->LoadEmbedder(IMGMILL_SOURCE_DIR "/tests/golden/enlarging_script.pt", {});
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().message.find("gives images, not vectors") != std::string::npos);
}
