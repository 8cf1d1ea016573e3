// Graphs as LibTorch runs them: in bands of rows or whole what our own kernels make of them, in the memory
// that was foretold.
#include "torch/executors/graph_net.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "networks/graph_network.h"
#include "networks/kernels/conv_kernels.h"
#include "torch/golden_network.h"
#include "torch/libtorch_settings.h"

using namespace imgmill;

namespace {

struct Loaded {
  GraphNetworkParts parts;
  explicit operator bool() const { return parts.graph != nullptr; }
};

Loaded Load(const Golden& golden, const WeightFolder& folder) {
  Result<StateDict> weights = ReadStateDict(golden.weights.Write(folder));
  REQUIRE(weights.ok());
  const GraphArchitecture* const architecture = FindGraphArchitecture(*weights);
  if (architecture == nullptr) return {};
  Result<GraphNetworkParts> parts = LoadGraph(*architecture, *weights, {});
  if (!parts) FAIL(parts.error().message);
  return {*std::move(parts)};
}

torch::Tensor ByKernels(const GraphNetworkParts& parts, const torch::Tensor& image) {
  const auto height = static_cast<int>(image.size(2)), width = static_cast<int>(image.size(3));
  const int64_t scale = parts.info.scale;
  torch::Tensor output = torch::empty({1, image.size(1), height * scale, width * scale});
  WorkerTeam team(2);
  Buffer work(parts.graph->WorkBytes(height, width, team.threads()));
  const KernelImage one = {image.data_ptr<float>(), output.data_ptr<float>(), height, width};
  CHECK(parts.graph->Run(*BestConvKernels(), one, work.data(), team));
  return output;
}

}  // namespace

TEST_CASE("LibTorch makes of a graph what our kernels do, in the memory that was foretold") {
  SetUpLibTorch(2);
  const c10::InferenceMode inference;
  const WeightFolder folder;
  int graphs = 0;
  ForEachGolden([&](const Golden& golden) {
    if (golden.task != ModelTask::kUpscale) return;
    const Loaded loaded = Load(golden, folder);
    if (!loaded) return;
    CAPTURE(golden.name);
    ++graphs;
    const auto net = MakeGraphNet(loaded.parts.graph, torch::kCPU);
    // More than two bands of rows, of no whole number.
    for (const auto& [height, width] : {std::pair(77, 50), std::pair(5, 9)}) {
      torch::manual_seed(3);
      const torch::Tensor image = torch::rand({1, loaded.parts.info.bands, height, width});
      const size_t before = HostPool().Stats().live;
      HostPool().ResetPeak();
      torch::Tensor made = net->forward(image);
      const size_t peak = HostPool().Stats().peak_live - before;
      const torch::Tensor wanted = ByKernels(loaded.parts, image);
      REQUIRE(made.sizes() == wanted.sizes());
      CHECK((made.clamp(0, 1) - wanted).abs().max().item<float>() < 1e-3f);
      const size_t foretold = GraphNetBytes(*loaded.parts.graph, height, width);
      INFO(peak << " of " << foretold);
      // The smallest maps are beside what LibTorch keeps for itself.
      if (height > 50) CHECK((peak <= foretold && foretold <= 3 * peak));
    }
  });
  CHECK(graphs > 20);
}
