// Every single allocation of a small run is refused once, in turn: the run must come to the same end, and
// leak nothing.
#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>

#include "sweep/command_run.h"

using namespace imgmill;

namespace {

/// What was given to devices: pictures or tiles that a model computed.
std::vector<std::string> DeviceWork(const InProcessResult& run) {
  std::vector<std::string> work;
  for (const BatchRecord& batch : run.history.batches) {
    if (batch.device != "host" && !batch.failed)
      work.push_back(batch.device + " " + std::to_string(batch.shape.height) + "x" +
                     std::to_string(batch.shape.width));
  }
  return work;
}

/// @param least  allocations that the run must make at the very least, by counting its buffers by hand
/// @param most   runs that this may take; where there are more allocations, they are spread over all of them
void Sweep(InProcessRun run, const std::string& output, uint64_t least, uint64_t most = UINT64_MAX) {
  run.refuse = 0;
  MakeEmpty(output);
  (void)RunInProcess(run);  // libraries allocate some things once for all
  MakeEmpty(output);
  const InProcessResult undisturbed = RunInProcess(run);
  REQUIRE_MESSAGE(undisturbed.error.empty(), undisturbed.error);
  REQUIRE(undisturbed.result.counts.failed == 0);
  CHECK(undisturbed.leaked == 0);
  const std::string details = DetailsOf(undisturbed.result);
  const auto digests = output.empty() ? std::vector<std::string>() : FolderDigests(output);

  uint64_t reached = 0;
  const uint64_t step = 1 + undisturbed.allocations / most;
  for (uint64_t k = 1; k <= undisturbed.allocations; k += step) {
    CAPTURE(k);
    MakeEmpty(output);
    run.refuse = k;
    const InProcessResult disturbed = RunInProcess(run);
    REQUIRE_MESSAGE(disturbed.error.empty(), disturbed.error);
    CHECK(disturbed.result.counts.failed == 0);
    CHECK(disturbed.result.counts.off_plan == 0);
    CHECK(DetailsOf(disturbed.result) == details);
    CHECK(disturbed.leaked == 0);
    // What a model has computed when something else finds no memory is not computed again.
    CHECK(DeviceWork(disturbed) == DeviceWork(undisturbed));
    if (!output.empty()) CHECK(FolderDigests(output) == digests);
    if (disturbed.allocations < k) break;  // the k-th was never asked for
    reached = k;
  }
  MESSAGE(run.command << ": every allocation refused once, up to k = " << reached);
  CHECK(reached >= least);
}

}  // namespace

TEST_CASE("dedup survives every single refused allocation, of buffers and cv::Mat alike") {
  InProcessRun run;
  run.command = "dedup";
  run.files = SampleFiles({"harbour.jpg", "harbour_copy.jpg", "badge_alpha.png", "icon_tiny.png"});
  for (const char* decode : {"scaled", "full"}) {
    run.arguments = {"--method", "phash", "--decode", decode};
    // For each image at least the window of rows, the hasher's strip and one matrix.
    Sweep(run, "", 4 * 3);
  }
}

TEST_CASE("filter survives every single refused allocation, in the map and in the reduce") {
  InProcessRun run;
  run.command = "filter";
  run.files = SampleFiles({"harbour.jpg", "windmill_exif6.jpg", "badge_alpha.png", "icon_tiny.png"});
  run.arguments = {"--keep", "sharpness>p30", "--keep", "blockiness<p90"};
  // For each image at least the window of rows, three rows of luma and the columns' steps; the reduce's
  // values.
  Sweep(run, "", 4 * 3 + 1);
}

TEST_CASE("embed, match and dedup by vectors survive every single refused allocation") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "embed";
  run.files = SampleFiles({"harbour.jpg", "badge_alpha.png", "icon_tiny.png"});
  run.arguments = {"--export", scratch / "out/v.npy"};
  Sweep(run, scratch / "out", 3 * 3);
  run.command = "dedup";
  run.arguments = {"--method", "embedding"};
  Sweep(run, "", 3 * 3);

  run.command = "embed";
  run.arguments = {};
  run.catalog = scratch / "catalog";
  REQUIRE(RunInProcess(run).error.empty());
  run.command = "match";
  run.arguments = {"--in", IMGMILL_SOURCE_DIR "/sample_data"};
  Sweep(run, "", 2);  // rows and a block of queries
}

TEST_CASE("embed by a network survives refused allocations, of weights and tensors too") {
  const std::string network = NetworkFile();
  if (IsMissing(network)) return;
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "embed";
  run.files = SampleFiles({"icon_tiny.png"});
  run.arguments = {"--export", scratch / "out/v.npy", "--model", network, "--scale", "1/127.5", "--shift",
                   "-1"};
  Sweep(run, scratch / "out", 20, 25);  // some of its 27 convolutions' weights and outputs
}

TEST_CASE("upscale by a kernel survives every single refused allocation") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "upscale";
  run.files = SampleFiles({"icon_tiny.png", "badge_alpha.png", "windmill_exif6.jpg"});
  run.arguments = {"-o", scratch / "out", "--method", "lanczos3", "--scale", "1.5"};
  Sweep(run, scratch / "out", 3);  // the window of rows of each
}

TEST_CASE("tile survives every single refused allocation, alone, ranked and in pairs") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "tile";
  run.files = SampleFiles({"icon_tiny.png", "badge_alpha.png", "windmill_exif6.jpg"});
  // For each image the window of rows, the band and the encoder's copy or the padded tile.
  run.arguments = {"-o", scratch / "out", "--size", "100", "--edge", "pad", "--best", "3"};
  Sweep(run, scratch / "out", 3 * 4);
  std::filesystem::create_directory(scratch / "copies");  // a picture is no partner of its own
  for (const ListedFile& file : run.files)
    std::filesystem::copy_file(file.path, scratch / ("copies/" + file.relative));
  run.arguments = {"-o", scratch / "out", "--size", "32", "--format", "jpg", "--pair", scratch / "copies"};
  Sweep(run, scratch / "out", 3 * 3);
}

TEST_CASE("compare survives every single refused allocation, shifts and pictures among them") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "compare";
  run.files = SampleFiles({"icon_tiny.png", "badge_alpha.png", "windmill_exif6.jpg"});
  std::filesystem::create_directory(scratch / "copies");
  for (const ListedFile& file : run.files)
    std::filesystem::copy_file(file.path, scratch / ("copies/" + file.relative));
  run.arguments = {"--pair",  scratch / "copies", "--metrics",          "all",
                   "--align", "--html",           scratch / "page.html"};
  // For each pair the finder's three squares, and then two strips, the planes of both, five scales of each
  // channel and the three pictures.
  Sweep(run, "", 3 * 20);
}

TEST_CASE("frames survives every single refused allocation, of all kinds of animations") {
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "frames";
  for (const char* name : {"discs.gif", "discs.webp", "discs.png", "discs.jxl", "pages.tif"}) {
    const std::string path = IMGMILL_SOURCE_DIR "/tests/golden/frames/" + std::string(name);
    run.files.push_back({run.files.size(), path, name, NameClash::kStem});
  }
  run.arguments = {"-o", scratch / "out"};
  Sweep(run, scratch / "out", 4 * 6 + 3);  // the window of rows of each frame
}

TEST_CASE("upscale by a model survives every single refused allocation, of weights and tensors too") {
  const std::string model = ModelFile();
  if (IsMissing(model)) return;
  const ScratchFolder scratch;
  InProcessRun run;
  run.command = "upscale";
  run.files = SampleFiles({"icon_tiny.png"});
  run.arguments = {"-o", scratch / "out", "--model", model, "--tile", "32"};
  Sweep(run, scratch / "out", 18 + 3);  // 18 convolutions' weights, the window, a tile's input and output
}
