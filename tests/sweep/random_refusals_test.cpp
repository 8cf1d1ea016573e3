// Every command with each allocation refused by a chance of 1 %, model loading included: the same output,
// nothing leaked, no deadlock.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "sweep/command_run.h"
#include "sweep/watchdog.h"

using namespace imgmill;

namespace {

constexpr double kChance = 0.01;
constexpr int kSeeds = 4;
/// So few allocations may all be granted.
constexpr uint64_t kFew = 40;

InProcessResult RunWatched(const InProcessRun& run) {
  const Watchdog watchdog(120);
  return RunInProcess(run);
}

/// Without an output folder the document is compared, with one the files too. Not even off-plan work may
/// differ: what the CPU does for a device of the CPU has the same bits.
void Stands(InProcessRun run, const std::string& output) {
  run.jobs = 2;
  MakeEmpty(output);
  const InProcessResult undisturbed = RunWatched(run);
  REQUIRE_MESSAGE(undisturbed.error.empty(), undisturbed.error);
  const std::string details = DetailsOf(undisturbed.result);
  const auto digests = output.empty() ? std::vector<std::string>() : FolderDigests(output);

  uint64_t refusals = 0;
  run.chance = kChance;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    MakeEmpty(output);
    run.seed = seed;
    run.on_devices = [&](MemoryManager& manager) {
      for (int i = 0; i < manager.device_count(); ++i) {
        if (!manager.DeviceSharesHostPool(i)) manager.device(i).pool()->RefuseAtRandom(kChance, seed);
      }
    };
    const InProcessResult disturbed = RunWatched(run);
    REQUIRE_MESSAGE(disturbed.error.empty(), disturbed.error);
    CHECK(disturbed.result.failed.ForEach([](const FailedItem& item) {
      MESSAGE(item.path << ": " << item.error.message);
      return Status();
    }));
    CHECK(disturbed.result.counts.failed == 0);
    CHECK(DetailsOf(disturbed.result) == details);
    CHECK(disturbed.leaked == 0);
    if (!output.empty()) CHECK(FolderDigests(output) == digests);
    refusals += disturbed.refusals;
  }
  MESSAGE(run.command << " " << run.device << ": " << refusals << " refusals, of " << undisturbed.allocations
                      << " allocations a run");
  CHECK((refusals > 0 || undisturbed.allocations < kFew));
}

std::vector<ListedFile> SomeSamples() {
  return SampleFiles({"harbour.jpg", "harbour_copy.jpg", "windmill_exif6.jpg", "badge_alpha.png",
                      "icon_tiny.png", "dawn_16bit.png", "balloons.webp", "newspaper_grey.png"});
}

}  // namespace

TEST_CASE("random refusals: dedup, filter and tile give what they give without") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.files = SomeSamples();
  run.command = "dedup";
  run.arguments = {"--decode", "full"};
  Stands(run, "");
  run.command = "filter";
  run.arguments = {"--keep", "sharpness>p30", "--export", scratch / "out/signals.csv"};
  Stands(run, scratch / "out");
  run.command = "tile";
  run.arguments = {"-o", scratch / "out", "--size", "100", "--edge", "pad", "--best", "3"};
  Stands(run, scratch / "out");
}

TEST_CASE("random refusals: upscale by a kernel, embed and match give what they give without") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.files = SomeSamples();
  run.command = "upscale";
  run.arguments = {"-o", scratch / "out", "--method", "lanczos3", "--scale", "1.5"};
  Stands(run, scratch / "out");
  run.command = "embed";
  run.arguments = {"--export", scratch / "out/v.npy"};
  Stands(run, scratch / "out");
  run.arguments = {};
  run.catalog = scratch / "catalog";
  REQUIRE(RunInProcess(run).error.empty());
  run.command = "match";
  run.arguments = {"--in", IMGMILL_SOURCE_DIR "/sample_data"};
  Stands(run, "");
}

TEST_CASE("random refusals: upscale and embed by models, their loading included, on one device and on two") {
  const std::string model = ModelFile();
  const std::string network = NetworkFile();
  if (IsMissing(model) || IsMissing(network)) return;
  const ScratchFolder scratch;
  for (const char* device : {"cpu", "cpu:0,cpu:1"}) {
    InProcessRun run;
    run.device = device;
    run.files = SampleFiles({"icon_tiny.png", "badge_alpha.png"});
    run.command = "upscale";
    run.arguments = {"-o", scratch / "out", "--model", model, "--tile", "32"};
    Stands(run, scratch / "out");
    run.command = "embed";
    run.files = SampleFiles({"icon_tiny.png", "badge_alpha.png", "harbour.jpg"});
    run.arguments = {"--export", scratch / "out/v.npy", "--model", network, "--scale", "1/127.5", "--shift",
                     "-1"};
    Stands(run, scratch / "out");
  }
}

TEST_CASE("random refusals: a pipeline writes what it writes without, and leaks nothing") {
  const std::string model = ModelFile();
  const ScratchFolder scratch;
  const std::string pipeline = scratch / "pipeline.yaml";
  {
    std::ofstream file(pipeline);
    file << "input: [" << IMGMILL_SOURCE_DIR << "/sample_data/icon_tiny.png, " << IMGMILL_SOURCE_DIR
         << "/sample_data/badge_alpha.png, " << IMGMILL_SOURCE_DIR << "/sample_data/harbour.jpg, "
         << IMGMILL_SOURCE_DIR << "/sample_data/harbour_copy.jpg]\n"
         << "output: " << (scratch / "out") << "\ncatalog: " << (scratch / "catalog") << "\njobs: 2\nsteps:\n"
         << "  - filter:\n      keep: [\"sharpness>0\"]\n  - dedup:\n      method: phash\n"
         << "  - tile:\n      size: 48\n      best: 2\n";
    if (!model.empty()) file << "  - upscale:\n      model: " << model << "\n      tile: 32\n";
    file << "  - embed:\n      export: vectors.npy\n";
  }
  const auto run = [&] {
    const Watchdog watchdog(120);
    std::filesystem::remove_all(scratch / "out");
    std::filesystem::remove_all(scratch / "catalog");
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
      // The export's place is beside the pipeline.
      if (entry.path() != pipeline) std::filesystem::remove_all(entry.path());
    }
    return RunLine({"run", pipeline});
  };
  REQUIRE(run() == 0);
  const std::vector<std::string> expected = FolderDigests(scratch / "out");
  REQUIRE(expected.size() > 3);
  const PoolStats before = HostPool().Stats();
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    HostPool().RefuseAtRandom(kChance, seed);
    const int code = run();
    HostPool().RefuseAtRandom(0, 0);
    CHECK(code == 0);
    CHECK(FolderDigests(scratch / "out") == expected);
    CHECK(HostPool().Stats().live == before.live);
  }
  CHECK(HostPool().Stats().refusals > before.refusals);
}
