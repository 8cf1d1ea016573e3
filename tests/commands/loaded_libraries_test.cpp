// LibTorch is mapped when a model is asked for, and never otherwise.
#include <doctest/doctest.h>

#include "program.h"

namespace imgmill::process_test {
namespace {

/// What the dynamic loader says of every library that it opened (ld.so(8), LD_DEBUG).
std::string LoaderLog(const TestFolder& where, const std::vector<std::string>& arguments,
                      ProcessOptions options) {
  options.environment.push_back("LD_DEBUG=files");
  options.environment.push_back("LD_DEBUG_OUTPUT=" + (where / "loader"));
  Process process(Imgmill(arguments), WithState(options));
  const ProcessResult result = process.Wait();
  INFO(result.err);
  CHECK(result.exit_code == 0);
  return TestFolder::Read(where / ("loader." + std::to_string(process.pid())));
}

}  // namespace

TEST_CASE("neither dedup, filter, tile, vectors without a model nor a classical kernel maps LibTorch") {
  const std::string photo = SampleData() + "/marble.jpg";
  const TestFolder where;
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"dedup", photo, SampleData() + "/harbour.jpg", "--no-catalog"},
           {"filter", photo, SampleData() + "/harbour.jpg", "--keep", "sharpness>p50", "--no-catalog"},
           {"embed", photo, "--catalog", where / "catalog"},
           {"match", photo, "--catalog", where / "catalog"},
           {"dedup", photo, "--method", "embedding", "--no-catalog"},
           {"tile", photo, "--size", "64", "--best", "2", "-o", where / "tiles"},
           {"upscale", photo, "--method", "lanczos3", "-o", where / "out"}}) {
    const std::string log = LoaderLog(where, command, FindModel().options);
    CHECK(log.find("libvips") != std::string::npos);
    CHECK(log.find("libtorch") == std::string::npos);
    CHECK(log.find("imgmill_torch") == std::string::npos);
  }
}

TEST_CASE("a model maps LibTorch where our own kernels do not do all of the work") {
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  for (const bool reference : {false, true}) {
    const TestFolder where;
    const std::string log =
        LoaderLog(where,
                  {"upscale", SampleData() + "/icon_tiny.png", "--device", "cpu", "--model", model.weights,
                   "-o", where / "out", "--kernels", reference ? "reference" : "auto"},
                  model.options);
    CHECK((log.find("libimgmill_torch") != std::string::npos) == reference);
    CHECK((log.find("libtorch_cpu.so") != std::string::npos) == reference);
    CHECK(CountFiles(where / "out") == 1);
  }
}

}  // namespace imgmill::process_test
