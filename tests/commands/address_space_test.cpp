// A limit on the address space (ulimit -v) that nobody told it about: whatever it is, no run is killed, none
// crashes or hangs, and every image is done or recorded, or the run is refused at the start with the reason.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

/// What became of a run: true if it did its work, false if it was refused.
bool EndedWell(const std::vector<std::string>& command, size_t limit, size_t listed,
               ProcessOptions options = {}) {
  options.address_space = limit;
  const ProcessResult result = Run(command, options);
  CAPTURE(command.front());
  CAPTURE(limit / kMiB);
  INFO(result.err);
  CHECK_FALSE(result.timed_out);
  // A library that cannot even be loaded, or gives up while it is, as GLib does by a signal, ends the process
  // with words of its own before any of ours runs: then nothing else starts either. Which signal it is
  // differs from page to page of the limit, as does the last page that is enough: the two are a few apart.
  if (result.signal != 0) {
    options.address_space -= kMiB;
    CHECK(Run({"--version"}, options).exit_code != 0);
    return false;
  }
  if (result.exit_code > 1 || result.out.empty()) {
    CHECK(result.exit_code != 75);
    CHECK_FALSE(result.err.empty());
    return false;
  }
  const nlohmann::json json = Json(result);
  CHECK(json["listed"] == listed);
  CHECK(json["done"].get<size_t>() + json["skipped"].get<size_t>() + json["failed"].size() == listed);
  return true;
}

}  // namespace

TEST_CASE("no limit on the address space kills a run, or loses an image") {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return;  // they map terabytes
#endif
  const TestFolder where;
  CopySamples(where / "photos");
  WriteLargeJpeg(where / "photos/large.jpg", 4000, 3000);
  REQUIRE(Run({"upscale", where / "photos/large.jpg", "--method", "linear", "--scale", "1", "--format",
               "webp", "-o", where / "photos/webp"})
              .exit_code == 0);
  const size_t count = CountFiles(where / "photos");
  const std::vector<std::vector<std::string>> commands = {
      {"dedup", where / "photos", "--decode", "full", "--no-catalog"},
      {"filter", where / "photos", "--keep", "sharpness>p10", "--no-catalog"},
      {"tile", where / "photos", "--size", "256", "-o", where / "out", "--no-catalog"},
      {"embed", where / "photos", "--catalog", where / "catalog", "--force"},
      {"upscale", where / "photos", "--method", "cubic", "--scale", "1.5", "-o", where / "out",
       "--no-catalog", "--force"}};
  for (std::vector<std::string> command : commands) {
    command.insert(command.end(), {"-j4", "--json"});
    bool worked = false;
    for (const size_t limit : {130, 150, 180, 230, 600}) {
      std::filesystem::remove_all(where / "out");
      worked = EndedWell(command, limit * kMiB, count);
    }
    CHECK(worked);  // under the last one
  }
  MESSAGE("limit tried: address space");
}

TEST_CASE("no limit on the address space kills a run by a model") {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return;
#endif
  const ModelParts model = FindModel();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const TestFolder where;
  std::filesystem::create_directories(where / "photos");
  WriteLargeJpeg(where / "photos/one.jpg", 200, 150);
  WriteLargeJpeg(where / "photos/two.jpg", 100, 300);
  bool worked = false;
  for (const size_t limit : {300, 600, 800, 1000, 1500, 4000}) {
    std::filesystem::remove_all(where / "out");
    worked = EndedWell({"upscale", where / "photos", "--model", model.weights, "--device", "cpu", "-o",
                        where / "out", "-j2", "--json"},
                       limit * kMiB, 2, model.options);
  }
  CHECK(worked);
}

}  // namespace imgmill::process_test
