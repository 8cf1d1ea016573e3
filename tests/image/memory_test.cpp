// Every byte of pixels is charged: cv::Mat and our own buffers, refused where a pool says so; and reading a
// tall image needs no more than reading a flat one.
#include <doctest/doctest.h>

#include <opencv2/core/mat.hpp>

#include "image_test.h"
#include "imgmill/memory/out_of_memory.h"

using namespace imgmill;
using namespace imgmill::image_test;

TEST_CASE("cv::Mat takes its pixels from the current pool and is refused by it") {
  InitImageLibraries();
  Pool pool("test", size_t{8} << 20);
  {
    const PoolScope scope(pool);
    cv::Mat mat(1000, 1000, CV_8UC3);
    CHECK(pool.Stats().live >= 3000000);
    CHECK(mat.isContinuous());
    CHECK(mat.step[0] == 3000);
    mat.setTo(7);
    const cv::Mat copy = mat.clone();
    CHECK(copy.at<cv::Vec3b>(999, 999) == cv::Vec3b(7, 7, 7));
    CHECK_THROWS_AS(cv::Mat(1000, 1000, CV_8UC3), std::bad_alloc);
    std::vector<uint8_t> foreign(300);
    const cv::Mat view(10, 10, CV_8UC3, foreign.data());
    CHECK(view.clone().total() == 100);
    const int sizes[] = {3, 4, 5};
    const cv::Mat cube(3, sizes, CV_32F);
    CHECK(cube.step[0] == 80);
  }
  CHECK(pool.Stats().live == 0);
}

TEST_CASE("a pool's refusal while reading or writing is an error value") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  const std::string path = Asset("odd/recurser+exif-orientation-examples/Landscape_6.jpg");
  const ImageHeader header = Probe(path, {}).value();
  uint64_t refusals = 0;
  for (uint64_t k = 1;; ++k) {
    Pool pool("test", size_t{64} << 20);
    const PoolScope scope(pool);
    pool.RefuseAllocation(k);
    bool failed = false;
    {
      ReadOptions options;
      options.bands = ReadOptions::Bands::kGrey;
      Result<std::unique_ptr<RowReader>> rows = OpenRows(path, header, options);
      Status status = rows ? Drain(**rows) : Status(rows.error());
      failed = !status;
      if (failed) CHECK(status.error().code == Code::kOutOfMemory);
      Result<std::unique_ptr<RowWriter>> writer =
          CreateRows(folder / "out.png", {100, 100, 3, Sample::kU8}, {}, {});
      if (!writer) {
        CHECK(writer.error().code == Code::kOutOfMemory);
        failed = true;
      }
    }
    CHECK(pool.Stats().live == 0);
    if (!failed) break;
    ++refusals;
  }
  MESSAGE("allocations refused: " << refusals);
  CHECK(refusals >= 3);
}

TEST_CASE("memory does not grow with the height of a JPEG or of a written PNG") {
  const TemporaryFolder folder;
  TimeGuard guard("a tall picture", 120);
  constexpr Layout kTall = {2000, 50000, 3, Sample::kU8};  // 100 megapixels
  const std::string path = folder / "tall.jpg";
  WriteOptions options;
  options.format = FileFormat::kJpeg;
  options.quality = 50;
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, kTall, options, {});
  REQUIRE(writer.ok());
  Layout strip = kTall;
  strip.height = 50;
  std::vector<uint8_t> rows(strip.row_bytes() * 50);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<uint8_t>(i / 3 % 2000 / 8);
  const MemoryGrowth growth;
  for (int64_t y = 0; y < kTall.height; y += 50) {
    REQUIRE((*writer)->Write({rows.data(), strip, kTall.row_bytes()}).ok());
  }
  REQUIRE((*writer)->Finish().ok());
  const size_t written = growth.Bytes();
  CHECK(written < (size_t{32} << 20));
  Result<std::unique_ptr<RowReader>> reader = OpenRows(path, Probe(path, {}).value(), {});
  REQUIRE(reader.ok());
  REQUIRE(Drain(**reader).ok());
  const size_t read = growth.Bytes();
  MESSAGE("grew by " << (written >> 10) << " KiB writing, by " << (read >> 10) << " KiB in all");
  CHECK(read < (size_t{32} << 20));  // 2 were measured; the whole image has 286
}
