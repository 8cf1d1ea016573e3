// A real memory limit of the kernel: without any --memory the run finds it, stays below and finishes.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "memory_group.h"
#include "program.h"

namespace imgmill::process_test {

TEST_CASE("dedup and filter finish under a kernel limit of 256 MiB that nobody told it about") {
  constexpr size_t kLimit = size_t{256} << 20;
  const MemoryGroup group(kLimit);
  if (!group.made()) return;
  const TestFolder where;
  CopySamples(where / "photos");
  REQUIRE(Run({"upscale", where / "photos", "--method", "linear", "--scale", "3", "--format", "jpg", "-o",
               where / "large", "--include", "m*", "--include", "c*", "--include", "h*"})
              .exit_code == 0);
  WriteLargeJpeg(where / "large/huge.jpg", 6000, 6000);  // 108 MB as pixels
  const size_t count = CountFiles(where / "photos") + CountFiles(where / "large");
  REQUIRE(count >= 40);

  ProcessOptions options;
  options.cgroup_procs = group.procs();
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"dedup", "--decode", "scaled"},
                                             {"dedup", "--decode", "full"},
                                             {"filter", "--keep", "sharpness>p10"}}) {
    CAPTURE(command.back());
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {where / "photos", where / "large", "--no-catalog", "-j4", "--json",
                                       "--report", where / "report.json"});
    const ProcessResult result = Run(arguments, options);
    INFO(result.err);
    CHECK(result.signal == 0);
    CHECK(result.exit_code == 0);
    CHECK(Json(result)["done"] == count);
    CHECK(result.peak_resident < kLimit);
    const nlohmann::json memory = JsonFile(where / "report.json")["memory"];
    MESSAGE(command.front() << " " << command.back() << ": budget "
                            << memory["budget"].get<size_t>() / 1048576 << " MiB by "
                            << memory["budget_source"].get<std::string>() << ", peak resident "
                            << result.peak_resident / 1048576 << " MiB, " << result.seconds << " s");
    CHECK(memory["budget_source"].get<std::string>().find("cgroup") != std::string::npos);
    CHECK(memory["budget"] <= kLimit);
  }
}

TEST_CASE("embed finishes under a kernel limit of 256 MiB, a picture of 100 megapixels among its own") {
  constexpr size_t kLimit = size_t{256} << 20;
  const MemoryGroup group(kLimit);
  if (!group.made()) return;
  const TestFolder where;
  CopySamples(where / "photos");
  WriteLargeJpeg(where / "photos/huge.jpg", 10000, 10000);
  ProcessOptions options;
  options.cgroup_procs = group.procs();
  const ProcessResult result =
      Run({"embed", where / "photos", "--export", where / "v.npy", "-j4", "--json"}, options);
  INFO(result.err);
  CHECK(result.signal == 0);
  CHECK(result.exit_code == 0);
  CHECK(Json(result)["done"] == 31);
  CHECK(result.peak_resident < kLimit);
  MESSAGE("peak resident " << result.peak_resident / 1048576 << " MiB, " << result.seconds << " s");
}

TEST_CASE("a model finishes under a kernel limit of 600 MiB") {
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  constexpr size_t kLimit = size_t{600} << 20;
  const MemoryGroup group(kLimit);
  if (!group.made()) return;
  const TestFolder where;
  // As a whole a layer would take 2 x 192 MB (64 float channels in and out), the enlarged picture 144 MB.
  WriteLargeJpeg(where / "photo.jpg", 1000, 750);
  ProcessOptions options = model.options;
  options.cgroup_procs = group.procs();
  const ProcessResult result =
      Run({"upscale", where / "photo.jpg", "--model", model.weights, "--device", "cpu", "-o", where / "out",
           "--format", "jpg", "--json", "--report", where / "report.json"},
          options);
  INFO(result.err);
  CHECK(result.signal == 0);
  CHECK(result.exit_code == 0);
  CHECK(Json(result)["done"] == 1);
  CHECK(result.peak_resident < kLimit);
  const nlohmann::json memory = JsonFile(where / "report.json")["memory"];
  MESSAGE("budget " << memory["budget"].get<size_t>() / 1048576 << " MiB by "
                    << memory["budget_source"].get<std::string>() << ", peak resident "
                    << result.peak_resident / 1048576 << " MiB, " << result.seconds << " s");
  CHECK(memory["budget_source"].get<std::string>().find("cgroup") != std::string::npos);
}

}  // namespace imgmill::process_test
