// The whole program with a GPU: LibTorch is given one that is made of the host's memory (tests/card/device).
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "drawn_picture.h"
#include "program.h"

using namespace imgmill;
using namespace imgmill::process_test;
namespace fs = std::filesystem;

namespace {

/// Small pictures of each kind of samples: grey and colour, with and without alpha, of 8 and of 16 bits.
void DrawPictures(const std::string& folder) {
  const Drawing waves = [](int64_t x, int64_t y, int band) {
    return 127.5 + 120 * std::sin(0.11 * static_cast<double>(x * (band + 1)) + 0.17 * static_cast<double>(y));
  };
  for (const int bands : {1, 2, 3, 4})
    WritePicture(folder + "/bands" + std::to_string(bands) + ".png", Draw(61, 45, bands, waves));
  Image words(Layout{50, 37, 3, Sample::kU16});
  for (int64_t y = 0; y < 37; ++y) {
    auto* row = reinterpret_cast<uint16_t*>(words.row(y));
    for (int64_t i = 0; i < 150; ++i) row[i] = static_cast<uint16_t>(300 * i + 77 * y);
  }
  WritePicture(folder + "/words.png", words);
}

struct Made {
  ProcessResult run;
  FolderBytes files;
  nlohmann::json report;
};

class GpuRuns {
 public:
  explicit GpuRuns(const ModelParts& parts) : parts_(parts) { DrawPictures(folder_ / "in"); }

  Made Upscale(const std::string& out, std::vector<std::string> flags, std::vector<std::string> environment) {
    std::vector<std::string> arguments = {"upscale", folder_ / "in", "-o",       folder_ / out,
                                          "--model", model,          "--report", folder_ / "report.json",
                                          "-v"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    ProcessOptions options = parts_.options;
    options.environment.insert(options.environment.end(), environment.begin(), environment.end());
    Made made;
    made.run = Run(arguments, options);
    made.files = ReadFolder(folder_ / out);
    if (fs::exists(folder_ / "report.json")) made.report = JsonFile(folder_ / "report.json");
    return made;
  }
  Made OnCard(const std::string& out, std::vector<std::string> flags = {}, const std::string& memory = "") {
    std::vector<std::string> environment = {"LD_PRELOAD=" IMGMILL_HOST_CARD};
    if (!memory.empty()) environment.push_back("IMGMILL_CARD_MEMORY=" + memory);
    return Upscale(out, std::move(flags), std::move(environment));
  }
  std::string In(const std::string& name) const { return folder_ / name; }

  std::string model = "own:sr-x2";

 private:
  const ModelParts& parts_;
  TestFolder folder_;
};

/// The largest difference between two pictures in 8 bits, colours and alpha.
int MostOff(const std::string& a, const std::string& b) {
  ReadOptions reading;
  reading.to_8bit = true;
  const Image left = LoadImage(a, reading), right = LoadImage(b, reading);
  REQUIRE(left.layout() == right.layout());
  int most = 0;
  for (int64_t y = 0; y < left.layout().height; ++y) {
    for (size_t i = 0; i < left.layout().row_bytes(); ++i)
      most = std::max(most, std::abs(int{left.row(y)[i]} - int{right.row(y)[i]}));
  }
  return most;
}

bool Says(const Made& made, const std::string& text) {
  return made.run.err.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a GPU enlarges every kind of samples, in float32 and in half precision") {
  const ModelParts parts = FindModel();
  if (!parts.missing.empty()) {
    MESSAGE("SKIPPED: " << parts.missing);
    return;
  }
  GpuRuns runs(parts);
  const Made cpu = runs.Upscale("cpu", {"--device", "cpu"}, {});
  REQUIRE_MESSAGE(cpu.run.exit_code == 0, cpu.run.err);
  REQUIRE(cpu.files.size() == 5);

  const Made half = runs.OnCard("half", {"--precision", "half"});
  REQUIRE_MESSAGE(half.run.exit_code == 0, half.run.err);
  CHECK(Says(half, "dtype=float16"));
  CHECK(half.report["memory"]["devices"][0]["name"] == "privateuseone:0");
  CHECK(half.report["memory"]["devices"][0]["peak"] > 0);
  CHECK(half.report["off_plan"] == 0);
  const Made full = runs.OnCard("full", {"--precision", "float32"});
  REQUIRE_MESSAGE(full.run.exit_code == 0, full.run.err);
  CHECK(Says(full, "dtype=float32"));
  for (const auto& [name, bytes] : cpu.files) {
    CAPTURE(name);
    CHECK(MostOff(runs.In("cpu/" + name), runs.In("full/" + name)) <= 1);
    CHECK(MostOff(runs.In("cpu/" + name), runs.In("half/" + name)) <= 2);
  }
  CHECK(half.files.at("words.png") == full.files.at("words.png"));  // 16 bits are never done in half
  CHECK_FALSE(Difference(half.files, full.files).empty());          // and 8 bits are

  SUBCASE("the same bytes whatever the workers, and a second run finds everything done") {
    const Made one = runs.OnCard("one", {"-j", "1", "--precision", "half"});
    CHECK(one.run.exit_code == 0);
    CHECK(Difference(half.files, one.files).empty());
    const Made again = runs.OnCard("half", {"--precision", "half"});
    CHECK(again.run.exit_code == 0);
    CHECK(again.report["skipped"] == 5);
    const Made other = runs.OnCard("half", {"--precision", "float32"});
    CHECK(other.report["done"] == 5);
    CHECK(Difference(full.files, other.files).empty());
  }
  SUBCASE("a card without room for a batch: smaller ones, then the CPU, and every image is there") {
    const Made squeezed = runs.OnCard("squeezed", {"--precision", "float32"}, std::to_string(1 << 20));
    REQUIRE_MESSAGE(squeezed.run.exit_code == 0, squeezed.run.err);
    CHECK(squeezed.report["done"] == 5);
    CHECK(squeezed.report["off_plan"] > 0);
    for (const auto& [name, bytes] : cpu.files) {
      CAPTURE(name);
      CHECK(MostOff(runs.In("cpu/" + name), runs.In("squeezed/" + name)) <= 1);
    }
  }
}

TEST_CASE(
    "half precision is chosen where a trial comes out within a level, and is done where it is asked for") {
  const ModelParts parts = FindModel();
  if (!parts.missing.empty()) {
    MESSAGE("SKIPPED: " << parts.missing);
    return;
  }
  GpuRuns runs(parts);
  for (const std::string& model : {std::string("own:sr-x2"), parts.weights}) {
    CAPTURE(model);
    runs.model = model;
    const std::string out = model == parts.weights ? "real" : "own";
    const Made chosen = runs.OnCard(out, {"--include", "bands1.png"});
    CHECK_MESSAGE(chosen.run.exit_code == 0, chosen.run.err);
    // How far it is off depends on this processor's kernels.
    const size_t verdict = chosen.run.err.find(" of 255 levels from float32 on a drawn picture");
    REQUIRE_MESSAGE(verdict != std::string::npos, chosen.run.err);
    const bool within = chosen.run.err[verdict - 1] <= '1' && chosen.run.err[verdict - 2] == ' ';
    CHECK(Says(chosen, within ? "dtype=float16" : "dtype=float32"));
    CHECK(Says(chosen, "--precision half is faster") == !within);
    const Made asked = runs.OnCard(out + "-asked", {"--include", "bands1.png", "--precision", "half"});
    CHECK(asked.run.exit_code == 0);
    CHECK(Says(asked, "dtype=float16"));
    CHECK(Says(asked, "warning: half precision, as asked: at most") == !within);
  }
}

TEST_CASE("half precision is refused where there is no GPU") {
  const ModelParts parts = FindModel();
  if (!parts.missing.empty()) {
    MESSAGE("SKIPPED: " << parts.missing);
    return;
  }
  GpuRuns runs(parts);
  const Made refused = runs.Upscale("out", {"--device", "cpu", "--precision", "half"}, {});
  CHECK(refused.run.exit_code == 2);
  CHECK(Says(refused,
             "--precision half is for GPUs, and this run is on cpu: leave it out, or name a GPU with "
             "--device"));
  CHECK(refused.files.empty());
}
