// An image of 100 megapixels (300 MB as pixels) through commands that are given a third of that; and
// enlarging takes as much memory for a tall image as for a short one.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

ProcessResult Done(std::vector<std::string> command) {
  command.insert(command.end(), {"--no-catalog", "-j2", "--json"});
  const ProcessResult result = Run(command);
  CAPTURE(command.front());
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(Json(result)["done"] == 1);
  MESSAGE(command.front() << ": peak " << result.peak_resident / kMiB << " MiB, " << result.seconds << " s");
  return result;
}

}  // namespace

TEST_CASE("100 megapixels are written, measured and cut within 96 MiB") {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return;  // shadow memory is resident, too
#endif
  const TestFolder where;
  WriteLargeJpeg(where / "quarter.jpg", 2500, 2500);
  constexpr size_t kBudget = 96 * kMiB;
  const std::string large = where / "large/quarter.jpg";
  CHECK(Done({"upscale", where / "quarter.jpg", "--method", "linear", "--scale", "4", "--format", "jpg", "-o",
              where / "large", "--memory", "96MiB"})
            .peak_resident <= kBudget);
  CHECK(Done({"filter", large, "--keep", "sharpness>0", "--memory", "96MiB"}).peak_resident <= kBudget);
  CHECK(Done({"tile", large, "--size", "1000", "--format", "jpg", "-o", where / "tiles", "--memory", "96MiB"})
            .peak_resident <= kBudget);
  CHECK(CountFiles(where / "tiles") == 100 + 1);  // and the list of them
}

TEST_CASE("upscale takes no more memory for four times the height") {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return;
#endif
  const TestFolder where;
  WriteLargeJpeg(where / "short.jpg", 700, 2000);
  WriteLargeJpeg(where / "tall.jpg", 700, 8000);
  for (const char* format : {"png", "jpg", "tif"}) {
    CAPTURE(format);
    const auto peak = [&](const std::string& name) {
      return Done({"upscale", where / name, "--method", "cubic", "--scale", "2", "--format", format, "-o",
                   where / ("out_" + name)})
          .peak_resident;
    };
    // Held whole, the tall one would take 50 MB more; two runs of the same differ by some.
    CHECK(peak("tall.jpg") < peak("short.jpg") + 26 * kMiB);
  }
}

}  // namespace imgmill::process_test
