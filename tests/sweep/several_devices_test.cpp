// Real models on several host-backed devices: the outputs are those of one device, also when devices are lost
// or short of memory in the middle.
#include <doctest/doctest.h>

#include <cstring>

#include "sweep/command_run.h"

using namespace imgmill;

namespace {

/// Everything that a run of `upscale` or `embed` writes.
struct Made {
  InProcessResult run;
  std::vector<std::string> digests;
};

Made Make(InProcessRun run, const std::string& device, const std::string& output,
          std::function<void(MemoryManager&)> on_devices = {}) {
  MakeEmpty(output);
  run.device = device;
  run.on_devices = std::move(on_devices);
  Made made;
  made.run = RunInProcess(run);
  CHECK_MESSAGE(made.run.error.empty(), made.run.error);
  CHECK(made.run.result.counts.failed == 0);
  CHECK(made.run.leaked == 0);
  if (made.run.error.empty()) made.digests = FolderDigests(output);
  return made;
}

HostBackedDevice& Backed(MemoryManager& manager, int device) {
  return dynamic_cast<HostBackedDevice&>(manager.device(device));
}

/// From its k-th allocation on the device is gone, as a GPU off the bus.
void LoseAt(MemoryManager& manager, int device, uint64_t k) {
  Backed(manager, device).pool()->RefuseAllocation(k, 1 << 20);
  Backed(manager, device).Lose();
}

bool Warns(const Made& made, const std::string& text) {
  return std::any_of(made.run.memory.warnings.begin(), made.run.memory.warnings.end(),
                     [&](const std::string& warning) { return warning.find(text) != std::string::npos; });
}

uint64_t Taken(const Made& made, Rung rung) {
  return made.run.memory.rungs[static_cast<size_t>(rung)];
}

/// The cases that every command with a model comes through. What the CPU does in place of a lost cpu:N has
/// the same bytes, although it counts as off plan.
void ComesThrough(const InProcessRun& run, const std::string& output) {
  const Made one = Make(run, "cpu", output);
  REQUIRE(!one.digests.empty());
  CHECK(Make(run, "cpu:0", output).digests == one.digests);
  for (const char* devices : {"cpu:0,cpu:1", "cpu:3,cpu:1,cpu:2", "cpu,cpu:0"}) {
    CAPTURE(devices);
    const Made several = Make(run, devices, output);
    CHECK(several.digests == one.digests);
    CHECK(several.run.result.counts.off_plan == 0);
  }

  Made lost = Make(run, "cpu:0,cpu:1", output, [](MemoryManager& manager) { LoseAt(manager, 0, 2); });
  CHECK(lost.digests == one.digests);
  CHECK(lost.run.result.counts.off_plan == 0);
  CHECK(Taken(lost, Rung::kCpu) == 0);
  CHECK(Warns(lost, "cpu:0 no longer answers: the rest of the run continues on cpu:1"));

  lost = Make(run, "cpu:0,cpu:1", output, [](MemoryManager& manager) {
    LoseAt(manager, 0, 2);
    LoseAt(manager, 1, 2);
  });
  CHECK(lost.digests == one.digests);
  CHECK(lost.run.result.counts.off_plan > 0);
  CHECK(Taken(lost, Rung::kCpu) > 0);
  CHECK(Warns(lost, "continues on the CPU"));

#if defined(__SANITIZE_THREAD__)
  return;  // what it keeps of each touched byte is resident, and counts as much against a budget as the byte
#endif
  Buffer neighbour;  // of whom the manager knows nothing when it chooses
  InProcessRun tight = run;
  tight.memory = ReadProcessMemory().resident + (size_t{600} << 20);
  const Made small = Make(tight, "cpu:0,cpu:1", output, [&](MemoryManager& manager) {
    neighbour = Buffer(*Backed(manager, 0).pool(), manager.DeviceBudget(0) - 256 * 1024);
    // Held for good, or it would count as room when the manager next looks at what is resident.
    std::memset(neighbour.data(), 1, neighbour.size());
  });
  CHECK(small.digests == one.digests);
  CHECK(small.run.result.counts.off_plan == 0);
  CHECK(small.run.memory.devices[0].stats.out_of_memory_count > 0);
}

}  // namespace

TEST_CASE("upscale by a model on several devices writes the bytes of one") {
  const std::string model = ModelFile();
  if (IsMissing(model)) return;
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "upscale";
  run.files = SampleFiles({"icon_tiny.png", "badge_alpha.png", "windmill_exif6.jpg"});
  run.arguments = {"-o", scratch / "out", "--model", model, "--tile", "64"};
  run.jobs = 4;
  ComesThrough(run, scratch / "out");
}

TEST_CASE("embed by a network on several devices gives the vectors of one") {
  const std::string network = NetworkFile();
  if (IsMissing(network)) return;
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "embed";
  run.files = SampleFiles(
      {"icon_tiny.png", "badge_alpha.png", "windmill_exif6.jpg", "harbour.jpg", "clock.jpg", "citrus.jpg"});
  run.arguments = {"--export", scratch / "out/v.npy", "--model", network, "--scale", "1/127.5", "--shift",
                   "-1"};
  run.jobs = 4;
  ComesThrough(run, scratch / "out");
}
