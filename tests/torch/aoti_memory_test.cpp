// A refused allocation inside a package of AOTInductor: generated code behind a C interface, which lets no
// exception through but a text at best. The package is compiled here and now by LibTorch's own Python half,
// which wants a few Python packages that building imgmill does not: IMGMILL_TEST_PYTHON names an interpreter
// that has them.
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <cstdlib>

#include "imgmill/memory/ladder.h"
#include "imgmill/memory/memory_manager.h"
#include "torch/device_slots.h"
#include "torch/doctest_beside_torch.h"
#include "torch/libtorch_settings.h"
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

}  // namespace

TEST_CASE("an allocation refused inside an AOTInductor package is known for what it is, and tried again") {
  const WeightFolder folder;
  const std::string package_file = folder.Write("network.pt2", "");
  const std::string compile = "PYTHONPATH='" IMGMILL_LIBTORCH_PYTHON
                              "' timeout 240 \"${IMGMILL_TEST_PYTHON:-python3}\" '" IMGMILL_SOURCE_DIR
                              "/tests/torch/make_aoti_package.py' '" +
                              package_file + "' >/dev/null 2>&1";
  if (std::system(compile.c_str()) != 0) {
    MESSAGE("SKIPPED: AOTInductor compiles nothing with this machine's Python");
    return;
  }
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
