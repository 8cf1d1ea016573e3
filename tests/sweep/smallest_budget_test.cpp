// Every command under the smallest budget that can work, with orders of shapes chosen to be the worst: no
// deadlock, no failure.
#include <doctest/doctest.h>

#include "imgmill/image/writer.h"
#include "sweep/command_run.h"
#include "sweep/watchdog.h"
#include "torch/tiny_clip.h"

using namespace imgmill;

namespace {

/// A noisy grey-blue slope, so that no two pictures are alike.
ListedFile Draw(const ScratchFolder& folder, const std::string& name, int64_t width, int64_t height,
                uint32_t seed) {
  Layout layout{width, height, 3, Sample::kU8};
  Image image(layout);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width * 3; ++x) {
      seed = seed * 1664525u + 1013904223u;
      image.row(y)[x] = static_cast<uint8_t>((seed >> 26) + static_cast<uint32_t>(x + y * 2) % 190);
    }
  }
  WriteOptions options;
  options.format = FileFormat::kJpeg;
  auto writer = CreateRows(folder / name, layout, options, "");
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
  return {0, folder / name, name, NameClash::kNone};
}

/// Wide and tall, huge and tiny, in every order that has made schedulers stumble.
std::vector<std::vector<ListedFile>> WorstOrders(const ScratchFolder& folder) {
  std::vector<ListedFile> large, small;
  for (uint32_t i = 0; i < 4; ++i) {
    large.push_back(Draw(folder, "l" + std::to_string(i) + ".jpg", i % 2 ? 120 : 480, i % 2 ? 480 : 120, i));
  }
  for (uint32_t i = 0; i < 12; ++i) {
    small.push_back(Draw(folder, "s" + std::to_string(i) + ".jpg", 17 + i, 40 - 2 * i, 100 + i));
  }
  std::vector<std::vector<ListedFile>> orders(3);
  for (size_t i = 0; i < small.size(); ++i) {  // every small one after a large one; large first; large last
    if (i < large.size()) orders[0].push_back(large[i]);
    orders[0].push_back(small[i]);
  }
  orders[1] = large;
  orders[1].insert(orders[1].end(), small.begin(), small.end());
  orders[2] = small;
  orders[2].insert(orders[2].end(), large.begin(), large.end());
  return orders;
}

/// Between two budgets that are tried. A sanitizer's own records grow by more than the images' bytes from run
/// to run, and they are resident, too.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr size_t kStep = size_t{32} << 20;
#else
constexpr size_t kStep = size_t{4} << 20;
#endif

InProcessResult RunWatched(const InProcessRun& run) {
  const Watchdog watchdog(300);
  return RunInProcess(run);
}

/// Without what the pool keeps to hand out again, of which there is more at one time than at another.
size_t HeldNow() {
  HostPool().ClearCache();
  return ReadProcessMemory().resident;
}

struct Smallest {
  size_t budget = 0;
  size_t room = 0;  ///< of it, above what the process held when the run began
};

/// Raises the budget step by step until nothing is refused as too large.
Smallest SmallestBudget(InProcessRun run, const std::string& output) {
  for (size_t budget = ReadProcessMemory().resident / kStep * kStep;; budget += kStep) {
    REQUIRE(budget < (size_t{4} << 30));
    run.memory = budget;
    if (!output.empty()) std::filesystem::remove_all(output);
    const size_t held = HeldNow();
    const InProcessResult tried = RunWatched(run);
    if (tried.error.empty() && tried.result.counts.failed == 0)
      return {budget, budget - std::min(budget, held)};
  }
}

void HoldsUp(InProcessRun run, const ScratchFolder& scratch, const std::string& output) {
  const auto orders = WorstOrders(scratch);
  run.files = orders[0];
  const auto [budget, room] = SmallestBudget(run, output);
  MESSAGE(run.command << ": smallest budget that works here: " << (budget >> 20) << " MiB");
  std::vector<std::string> expected;
  for (const auto& order : orders) {
    for (int jobs : {1, 2, 4}) {
      CAPTURE(jobs);
      run.files = order;
      run.jobs = jobs;
      // The process itself grows from run to run (threads' stacks, libraries' caches, a sanitizer's records):
      // that is no lease, so what stays the same is the room above what is held at the start.
      run.memory = std::max(budget, HeldNow() + room) + kStep;
      if (!output.empty()) std::filesystem::remove_all(output);
      const InProcessResult ran = RunWatched(run);
      REQUIRE_MESSAGE(ran.error.empty(), ran.error);
      CHECK(ran.result.counts.listed == order.size());
      CHECK(ran.result.counts.done == order.size());
      if (ran.result.counts.failed > 0) MESSAGE(ran.result.failed.At(0).value().error.message);
      if (output.empty()) continue;
      auto digests = FolderDigests(output);
      // The list of outputs follows the order of the images, which is another one each time.
      std::erase_if(digests,
                    [](const std::string& line) { return line.find(".jsonl ") != std::string::npos; });
      if (expected.empty()) expected = digests;
      CHECK(digests == expected);
    }
  }
}

}  // namespace

TEST_CASE("dedup comes through the worst orders under the smallest budget") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "dedup";
  run.arguments = {"--decode", "full"};
  HoldsUp(run, scratch, "");
}

TEST_CASE("filter comes through the worst orders under the smallest budget") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "filter";
  run.arguments = {"--keep", "sharpness>p10", "--keep", "blockiness<30"};
  HoldsUp(run, scratch, "");
}

TEST_CASE("filter by a network comes through the worst orders under the smallest budget") {
  if (IsMissing(NetworkFile())) return;
  const ScratchFolder scratch;
  const WeightFolder heads, clips;
  FormulaWeights head;
  head.Add("weight", {1, 512}, "weight");
  head.Add("bias", {1}, "bias");
  InProcessRun run;
  run.command = "filter";
  run.arguments = {"--scorer", head.Write(heads), "--scorer-clip", TinyClip(512).Write(clips),
                   "--keep",   "aesthetic>p10",   "--keep",        "sharpness>p10"};
  // LibTorch stays mapped once it was, and is part of every budget from then on.
  run.files = WorstOrders(scratch).front();
  REQUIRE(RunWatched(run).error.empty());
  HoldsUp(run, scratch, "");
}

TEST_CASE("embed comes through the worst orders under the smallest budget, with and without a network") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "embed";
  HoldsUp(run, scratch, "");
  run.command = "dedup";
  run.arguments = {"--method", "embedding"};
  HoldsUp(run, scratch, "");
  const std::string network = NetworkFile();
  if (IsMissing(network)) return;
  run.command = "embed";
  run.arguments = {"--model", network, "--scale", "1/127.5", "--shift", "-1"};
  HoldsUp(run, scratch, "");
}

TEST_CASE("upscale by a kernel comes through the worst orders under the smallest budget") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "upscale";
  run.arguments = {"-o", scratch / "out", "--method", "cubic", "--scale", "1.3"};
  HoldsUp(run, scratch, scratch / "out");
}

TEST_CASE("compare comes through the worst orders under the smallest budget") {
  const ScratchFolder scratch, partners;
  (void)WorstOrders(partners);  // of the same names
  InProcessRun run;
  run.command = "compare";
  run.arguments = {"--pair", partners.path(), "--metrics", "all", "--align", "--html", scratch / "page.html"};
  HoldsUp(run, scratch, "");
}

TEST_CASE("frames comes through the worst orders under the smallest budget") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "frames";
  run.arguments = {"-o", scratch / "out"};
  HoldsUp(run, scratch, scratch / "out");
}

TEST_CASE("tile comes through the worst orders under the smallest budget") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "tile";
  run.arguments = {"-o", scratch / "out", "--size", "64", "--stride", "48", "--edge", "pad"};
  HoldsUp(run, scratch, scratch / "out");
}

TEST_CASE("upscale by a model comes through the worst orders under the smallest budget") {
  const std::string model = ModelFile();
  if (IsMissing(model)) return;
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "upscale";
  run.arguments = {"-o", scratch / "out", "--model", model, "--tile", "64"};
  HoldsUp(run, scratch, scratch / "out");
}
