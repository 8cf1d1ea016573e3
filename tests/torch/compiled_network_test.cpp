// Packages of AOTInductor: generated code behind a C interface, which lets no exception through but a text at
// best. They are compiled here and now by LibTorch's own Python half, which wants a few Python packages
// that building imgmill does not: IMGMILL_TEST_PYTHON names an interpreter
// that has them.
#include "torch/compiled_network.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <cstdlib>

#include "imgmill/memory/ladder.h"
#include "imgmill/memory/memory_manager.h"
#include "networks/device_slots.h"
#include "networks/weights/program_files.h"
#include "torch/checkpoint_builder.h"
#include "torch/doctest_beside_torch.h"
#include "torch/libtorch_settings.h"
#include "torch/runtime.h"
#include "torch/torch_fixture.h"

using namespace imgmill;

namespace {

/// One forward of the package; what it throws goes on as it is.
struct Forward final : LadderWork {
  Forward(torch::inductor::AOTIModelPackageLoader& package_in, const at::Tensor& input_in)
      : package(package_in), input(input_in) {}
  Status Run(const Attempt&) override {
    ++attempts;
    try {
      output = package.run({input}).at(0);
    } catch (const std::exception& error) {
      told = error.what();
      throw;
    }
    return {};
  }
  int planned_micro_batch() const override { return 1; }
  int planned_tile() const override { return 0; }
  bool has_cpu_rung() const override { return false; }

  torch::inductor::AOTIModelPackageLoader& package;
  const at::Tensor& input;
  at::Tensor output;
  std::string told;
  int attempts = 0;
};

/// False, with a message, where this machine's Python cannot compile.
bool Compile(const std::string& network, const std::string& package) {
  const std::string command = "PYTHONPATH='" IMGMILL_LIBTORCH_PYTHON
                              "' timeout 240 \"${IMGMILL_TEST_PYTHON:-python3}\" '" IMGMILL_SOURCE_DIR
                              "/tests/torch/make_aoti_package.py' '" +
                              package + "' " + network + " >/dev/null 2>&1";
  if (std::system(command.c_str()) == 0) return true;
  MESSAGE("SKIPPED: AOTInductor compiles nothing with this machine's Python");
  return false;
}

}  // namespace

TEST_CASE("a package of AOTInductor gives vectors, the same in any batch") {
  const WeightFolder folder;
  const std::string package = folder.Write("network.pt2", "");
  if (!Compile("means", package)) return;
  auto manager = MemoryManager::Create({}).value();
  const std::unique_ptr<ModelRuntime> runtime = MakeTorchRuntime(*manager, 2);
  REQUIRE(runtime->AddDevices("cpu", 0).ok());
  EmbedderRequest request;
  request.side = 8;
  const auto model = runtime->LoadEmbedder(package, request);
  if (!model) FAIL(model.error().message);
  CHECK((*model)->info().architecture == "AOTInductor");
  REQUIRE((*model)->info().dimension == 4);

  std::vector<float> images;  // bands of 1, 2, 3, then of 2, 4, 6
  for (const float factor : {1.0f, 2.0f})
    for (int band = 1; band <= 3; ++band) images.insert(images.end(), 64, factor * static_cast<float>(band));
  std::vector<float> vectors(8);
  REQUIRE((*model)->Forward(images.data(), vectors.data(), 2, 8, 8, WorkPlace::Device(0)));
  CHECK(vectors == std::vector<float>{1, 4, 5, -3, 2, 8, 10, -6});  // by hand

  request.side = 16;
  const auto other = runtime->LoadEmbedder(package, request);
  REQUIRE(!other);
  CHECK(other.error().message.find("does not take an image of 3x16x16") != std::string::npos);
  const auto upscaler = runtime->LoadUpscaler(package);
  REQUIRE(!upscaler);
  CHECK(upscaler.error().message.find("package of AOTInductor") != std::string::npos);
}

TEST_CASE("a package of AOTInductor that cannot be loaded is refused in plain words") {
  const WeightFolder folder;
  const std::string broken = folder.Write("x.pt2", Zip({{"x/data/aotinductor/model/x.so", ""}}));
  CHECK(IsCompiled(broken));
  CHECK(!IsCompiled(folder.Write("y.pt2", Zip({{"y/data.pkl", ""}}))));
  CHECK(!IsCompiled(folder.Write("z.pt2", "PK")));
  auto manager = MemoryManager::Create({}).value();
  const std::unique_ptr<ModelRuntime> runtime = MakeTorchRuntime(*manager, 2);
  const auto model = runtime->LoadEmbedder(broken, {});
  REQUIRE(!model);
  CHECK(model.error().code == Code::kModelError);
  CHECK(model.error().message.starts_with("not a package of AOTInductor that libtorch"));
}

TEST_CASE("an allocation refused inside an AOTInductor package is known for what it is, and tried again") {
  const WeightFolder folder;
  const std::string package_file = folder.Write("network.pt2", "");
  if (!Compile("convolutions", package_file)) return;
  SetUpLibTorch(2);
  MemoryOptions options;
  options.sample_ms = 0;
  auto manager = MemoryManager::Create(options).value();
  torch::inductor::AOTIModelPackageLoader package(package_file);
  const at::Tensor input = at::full({1, 3, 128, 128}, 0.5);
  const StopFlag stop;
  Forward undisturbed(package, input);
  REQUIRE(manager->Guarded(undisturbed, kHostWork, stop).status);

  uint64_t k = 1;
  for (bool refused = true; refused; ++k) {
    CAPTURE(k);
    const PoolStats before = HostPool().Stats();
    {
      Forward work(package, input);
      HostPool().RefuseAllocation(k);
      const LadderOutcome outcome = manager->Guarded(work, kHostWork, stop);
      HostPool().RefuseAllocation(0);
      refused = HostPool().Stats().refusals > before.refusals;
      REQUIRE(outcome.status);
      CHECK(outcome.rung == (refused ? Rung::kSameSize : Rung::kNone));
      CHECK(work.attempts == (refused ? 2 : 1));
      CHECK(at::equal(work.output, undisturbed.output));
      if (k == 1) MESSAGE("the package says: " << work.told);
    }
    CHECK(HostPool().Stats().live == before.live);
  }
  CHECK(k - 2 >= 3);  // a tensor for each convolution at least
}
