// Every single allocation of a small run is refused once, in turn: the run must come to the same end, and
// leak nothing.
#include <doctest/doctest.h>

#include "sweep/command_run.h"

using namespace imgmill;

namespace {

/// @param least  allocations that the run must make at the very least, by counting its buffers by hand
void Sweep(CommandRun run, const std::string& output, uint64_t least) {
  run.refuse = 0;
  (void)RunInProcess(run);  // libraries allocate some things once for all
  std::filesystem::remove_all(output);
  const CommandRunResult undisturbed = RunInProcess(run);
  REQUIRE_MESSAGE(undisturbed.error.empty(), undisturbed.error);
  REQUIRE(undisturbed.result.counts.failed == 0);
  CHECK(undisturbed.leaked == 0);
  const std::string details = undisturbed.result.details.dump();
  const auto digests = output.empty() ? std::vector<std::string>() : FolderDigests(output);

  uint64_t reached = 0;
  for (uint64_t k = 1; k <= undisturbed.allocations; ++k) {
    CAPTURE(k);
    if (!output.empty()) std::filesystem::remove_all(output);
    run.refuse = k;
    const CommandRunResult disturbed = RunInProcess(run);
    REQUIRE_MESSAGE(disturbed.error.empty(), disturbed.error);
    CHECK(disturbed.result.counts.failed == 0);
    CHECK(disturbed.result.counts.off_plan == 0);
    CHECK(disturbed.result.details.dump() == details);
    CHECK(disturbed.leaked == 0);
    if (!output.empty()) CHECK(FolderDigests(output) == digests);
    if (disturbed.allocations < k) break;  // the k-th was never asked for
    reached = k;
  }
  MESSAGE(run.command << ": every allocation refused once, up to k = " << reached);
  CHECK(reached >= least);
}

}  // namespace

TEST_CASE("dedup survives every single refused allocation, of buffers and cv::Mat alike") {
  CommandRun run;
  run.command = "dedup";
  run.files = SampleFiles({"harbour.jpg", "harbour_copy.jpg", "badge_alpha.png", "icon_tiny.png"});
  for (const char* decode : {"scaled", "full"}) {
    run.arguments = {"--method", "phash", "--decode", decode};
    // For each image at least the window of rows, the hasher's strip and one matrix.
    Sweep(run, "", 4 * 3);
  }
}

TEST_CASE("filter survives every single refused allocation, in the map and in the reduce") {
  CommandRun run;
  run.command = "filter";
  run.files = SampleFiles({"harbour.jpg", "windmill_exif6.jpg", "badge_alpha.png", "icon_tiny.png"});
  run.arguments = {"--keep", "sharpness>p30", "--keep", "blockiness<p90"};
  // For each image at least the window of rows, three rows of luma and the columns' steps; the reduce's
  // values.
  Sweep(run, "", 4 * 3 + 1);
}

TEST_CASE("upscale by a kernel survives every single refused allocation") {
  const ScratchFolder scratch;
  CommandRun run;
  run.command = "upscale";
  run.files = SampleFiles({"icon_tiny.png", "badge_alpha.png", "windmill_exif6.jpg"});
  run.arguments = {"-o", scratch / "out", "--method", "lanczos3", "--scale", "1.5"};
  Sweep(run, scratch / "out", 3);  // the window of rows of each
}

TEST_CASE("upscale by a model survives every single refused allocation, of weights and tensors too") {
  const std::string model = ModelFile();
  if (model.empty()) {
    MESSAGE("SKIPPED: no IMGMILL_TEST_ASSETS, or no LibTorch module");
    return;
  }
  const ScratchFolder scratch;
  CommandRun run;
  run.command = "upscale";
  run.files = SampleFiles({"icon_tiny.png"});
  run.arguments = {"-o", scratch / "out", "--model", model, "--tile", "32"};
  Sweep(run, scratch / "out", 18 + 3);  // 18 convolutions' weights, the window, a tile's input and output
}
