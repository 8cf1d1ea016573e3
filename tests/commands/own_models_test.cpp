// The models that come with imgmill: found by name, refused by name, and better than the kernels that they
// replace.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "program.h"

namespace imgmill::process_test {
namespace {

Image AsRgb(const std::string& path) {
  ReadOptions options;
  options.bands = ReadOptions::Bands::kRgb;
  options.to_8bit = true;
  return LoadImage(path, options);
}

/// Peak signal-to-noise ratio in dB, of BT.601's Y in 16..235 without `border` pixels on each side, as papers
/// on super-resolution give it.
double Psnr(const std::string& wanted, const std::string& found, int64_t border) {
  const Image a = AsRgb(wanted), b = AsRgb(found);
  const Layout& layout = a.layout();
  REQUIRE(layout.width == b.layout().width);
  REQUIRE(layout.height == b.layout().height);
  const auto luma = [](const Image& image, int64_t x, int64_t y) {
    const uint8_t* rgb = image.row(y) + 3 * x;
    return (65.481 * rgb[0] + 128.553 * rgb[1] + 24.966 * rgb[2]) / 255;
  };
  double sum = 0;
  for (int64_t y = border; y < layout.height - border; ++y) {
    for (int64_t x = border; x < layout.width - border; ++x)
      sum += std::pow(luma(a, x, y) - luma(b, x, y), 2);
  }
  const auto count = static_cast<double>((layout.width - 2 * border) * (layout.height - 2 * border));
  return 10 * std::log10(255 * 255 / (sum / count));
}

}  // namespace

TEST_CASE("the upscalers of our own come nearer to the large images of Set5 than the best kernel") {
  const ModelParts parts = FindModel();
  if (!parts.missing.empty()) {
    MESSAGE("SKIPPED: " << parts.missing);
    return;
  }
  // By how many dB at least: half of what docs/own-models.md says.
  const std::map<std::string, double> least = {{"2", 1.3}, {"4", 1.0}};
  for (const auto& [scale, gain] : least) {
    const std::string srf = "_SRF_" + scale;
    const std::string set5 = std::string(std::getenv("IMGMILL_TEST_ASSETS")) + "/sr/Set5/image" + srf + "/";
    const TestFolder where;
    const std::vector<std::string> images = {"001", "002", "003", "004", "005"};
    double psnr[2] = {};
    for (const bool own : {false, true}) {
      const std::string out = where / (own ? "own" : "kernel");
      std::vector<std::string> command = {"upscale", "-o", out, "--no-catalog"};
      for (const std::string& image : images) command.push_back(set5 + "img_" + image + srf + "_LR.png");
      const std::vector<std::string> how =
          own ? std::vector<std::string>{"--model", "own:sr-x" + scale, "--device", "cpu"}
              : std::vector<std::string>{"--method", "lanczos3", "--scale", scale};
      command.insert(command.end(), how.begin(), how.end());
      const ProcessResult result = Run(command, parts.options);
      CAPTURE(result.err);
      REQUIRE(result.exit_code == 0);
      for (const std::string& image : images)
        psnr[own] += Psnr(set5 + "img_" + image + srf + "_HR.png", out + "/img_" + image + srf + "_LR.png",
                          std::stoi(scale)) /
                     5;
    }
    MESSAGE("Set5 x" << scale << ": lanczos3 " << psnr[0] << " dB, own " << psnr[1] << " dB");
    CHECK(psnr[1] > psnr[0] + gain);
  }
}

TEST_CASE("a model of our own that is not there is refused with the names of those that are") {
  const TestFolder where;
  for (const std::string name : {"own:", "own:sr-x9", "own:../models/sr-x4"}) {
    const ProcessResult result =
        Run({"upscale", SampleData(), "-o", where / "out", "--no-catalog", "--model", name});
    CHECK(result.exit_code == 2);
    CHECK(result.err.find("there is no model " + name + " here; there is own:sr-x2, own:sr-x4") !=
          std::string::npos);
    CHECK(!TestFolder::Exists(where / "out"));
  }
}

TEST_CASE("a pipeline's file names an own model as the flag does, not as a path beside it") {
  const TestFolder where;
  where.Write("p.yaml", "input: " + SampleData() + "\noutput: " + (where / "out") +
                            "\nsteps:\n  - upscale:\n      model: own:sr-x9\n");
  const ProcessResult result = Run({"run", where / "p.yaml"});
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("\"model\": there is no model own:sr-x9 here") != std::string::npos);
}

}  // namespace imgmill::process_test
