// The rungs that change the plan, reached by a device whose memory somebody else really holds: what they give
// is within the promised bounds, marked, and nothing that was finished is computed again.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "imgmill/image/reader.h"
#include "sweep/command_run.h"

using namespace imgmill;

namespace {

constexpr size_t kKiB = 1024;

/// All samples of an 8-bit image.
std::vector<uint8_t> Samples(const std::string& path) {
  const Result<ImageHeader> header = Probe(path, {});
  REQUIRE(header.ok());
  ReadOptions options;
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, options);
  REQUIRE(rows.ok());
  const Layout layout = (*rows)->layout();
  REQUIRE(layout.sample == Sample::kU8);
  std::vector<uint8_t> samples(layout.row_bytes() * static_cast<size_t>(layout.height));
  REQUIRE((*rows)->Read(layout.height, samples.data(), layout.row_bytes()).ok());
  return samples;
}

int LargestDifference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  REQUIRE(a.size() == b.size());
  int largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(int{a[i]} - int{b[i]}));
  return largest;
}

uint64_t Taken(const InProcessResult& ran, Rung rung) {
  return ran.memory.rungs[static_cast<size_t>(rung)];
}

/// Enlarges a photo with a neighbour on the device who leaves so many bytes; 0: nobody.
InProcessResult Enlarge(const std::string& model, const std::string& output, size_t left) {
  std::filesystem::remove_all(output);
  InProcessRun run;
  run.command = "upscale";
  run.files = SampleFiles({"windmill_exif6.jpg"});
  run.arguments = {"-o", output, "--model", model, "--tile", "256"};
  run.device = "cpu:0";
  run.memory = ReadProcessMemory().resident + 400 * 1024 * kKiB;
  Buffer neighbour;
  run.on_devices = [&](MemoryManager& manager) {
    if (left == 0) return;
    neighbour = Buffer(*manager.device(0).pool(), manager.DeviceBudget(0) - left);
    // Held for good, or it would count as room when the manager next looks at what is resident.
    std::memset(neighbour.data(), 1, neighbour.size());
  };
  InProcessResult ran = RunInProcess(run);
  REQUIRE_MESSAGE(ran.error.empty(), ran.error);
  CHECK(ran.result.counts.failed == 0);
  CHECK(ran.leaked == 0);
  return ran;
}

}  // namespace

TEST_CASE("half tiles, and then the CPU, differ by 1 of 255 at most and count as off plan") {
#if defined(__SANITIZE_THREAD__)
  MESSAGE(
      "SKIPPED: what the sanitizer keeps of each touched byte is resident, and budgets cannot be this tight");
  return;
#endif
  const std::string model = ModelFile();
  if (IsMissing(model)) return;
  const ScratchFolder scratch;
  const std::string picture = scratch / "out/windmill_exif6.png";
  CHECK(Enlarge(model, scratch / "out", 0).result.counts.off_plan == 0);
  const std::vector<uint8_t> expected = Samples(picture);

  bool halved = false;
  for (size_t left = 32768 * kKiB; left >= 256 * kKiB && !halved; left = left / 8 * 7) {
    const InProcessResult ran = Enlarge(model, scratch / "out", left);
    const bool on_cpu = Taken(ran, Rung::kCpu) > 0;
    halved = Taken(ran, Rung::kHalfTile) > 0 && !on_cpu;
    CHECK((ran.result.counts.off_plan > 0) == (halved || on_cpu));
    CHECK(LargestDifference(Samples(picture), expected) <= 1);
  }
  CHECK(halved);

  const InProcessResult nothing_left = Enlarge(model, scratch / "out", 16 * kKiB);
  CHECK(Taken(nothing_left, Rung::kCpu) > 0);
  CHECK(nothing_left.result.counts.off_plan == 1);
  CHECK(LargestDifference(Samples(picture), expected) <= 1);
}

TEST_CASE("a tile that is finished is not computed again, whatever the device refuses after it") {
  const std::string model = ModelFile();
  if (IsMissing(model)) return;
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "upscale";
  run.files = SampleFiles({"badge_alpha.png"});
  run.arguments = {"-o", scratch / "out", "--model", model, "--tile", "64"};
  run.device = "cpu:0,cpu:1";
  run.jobs = 2;
  // A forward pass takes one block from its device's pool. There are 5 x 5 tiles of 280 x 280, and once more
  // those in whose alpha there is something to see.
  uint64_t passes = 0;
  for (const double chance : {0.0, 0.15}) {
    std::filesystem::remove_all(scratch / "out");
    run.on_devices = [&](MemoryManager& manager) {
      for (int i = 0; i < 2; ++i) manager.device(i).pool()->RefuseAtRandom(chance, static_cast<uint64_t>(i));
    };
    const InProcessResult ran = RunInProcess(run);
    REQUIRE_MESSAGE(ran.error.empty(), ran.error);
    REQUIRE(ran.result.counts.done == 1);
    REQUIRE(ran.device_pools.size() == 2);
    CHECK(Taken(ran, Rung::kCpu) == 0);
    CHECK(Taken(ran, Rung::kHalfTile) == 0);
    const PoolStats &a = ran.device_pools[0], &b = ran.device_pools[1];
    CHECK((a.refusals + b.refusals > 0) == (chance > 0));
    // Each refused pass is followed by one canary, which is an allocation, too, unless it is refused itself.
    uint64_t attempts = 0;
    for (const BatchRecord& batch : ran.history.batches) {
      if (batch.device != "host") attempts += static_cast<uint64_t>(batch.attempts);
    }
    if (chance == 0) passes = attempts;
    CHECK(passes > 25);
    CHECK(passes <= 2 * 25);
    const uint64_t refused_passes = attempts - passes;
    const uint64_t canaries = 2 * refused_passes - a.refusals - b.refusals;
    CHECK(a.allocations + b.allocations - canaries == passes);
  }
}
