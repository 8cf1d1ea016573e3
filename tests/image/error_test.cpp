// Failures: what is said about files that are no images or broken ones, that nothing hangs, that messages of
// parallel failures do not mix, and that nothing is printed behind our back.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

#include "image_test.h"

using namespace imgmill;
using namespace imgmill::image_test;

namespace {

Error ProbeError(const std::string& path) {
  TimeGuard guard(path, 10);
  Result<ImageHeader> header = Probe(path, {});
  REQUIRE(!header);
  CHECK(header.error().stage == Stage::kProbe);
  return header.error();
}

// The error of opening or reading, if there is one.
std::optional<Error> TryReading(const std::string& path) {
  Result<ImageHeader> header = Probe(path, {});
  if (!header) return header.error();
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, {});
  if (!rows) return rows.error();
  Status status = Drain(**rows);
  if (status) return std::nullopt;
  return status.error();
}

Error ReadError(const std::string& path) {
  const std::optional<Error> error = TryReading(path);
  REQUIRE(error.has_value());
  return *error;
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("what is no image is refused with a reason") {
  const TemporaryFolder folder;
  CHECK(ProbeError(folder / "missing.jpg").code == Code::kNotFound);
  CHECK(ProbeError(folder.path()).code == Code::kUnknownFormat);
  REQUIRE(mkfifo((folder / "fifo.jpg").c_str(), 0600) == 0);
  CHECK(ProbeError(folder / "fifo.jpg").code == Code::kUnknownFormat);
  CHECK(ProbeError("/dev/zero").code == Code::kUnknownFormat);
  REQUIRE(symlink("loop", (folder / "loop").c_str()) == 0);
  CHECK(ProbeError(folder / "loop").code == Code::kNotFound);

  const auto message = [&](const std::string& bytes) {
    WriteFile(folder / "file.jpg", bytes);
    const Error error = ProbeError(folder / "file.jpg");
    CHECK(error.code == Code::kUnknownFormat);
    return error.message;
  };
  CHECK(Contains(message(""), "empty"));
  CHECK(Contains(message("Hello,\nthis is a letter.\n"), "text"));
  CHECK(Contains(message("<html><body>404</body></html>"), "web page"));
  CHECK(Contains(message("<svg xmlns='http://www.w3.org/2000/svg'/>"), "SVG"));
  CHECK(Contains(message("%PDF-1.7\n%\xE2\xE3"), "PDF"));
  CHECK(Contains(message("1,2,3\n4,5,6\n"), "text"));
  CHECK(Contains(message(std::string(100, '\0')), "zeros"));
  CHECK(Contains(message("P\x01\x02\x03\x04 rubbish \xFF\xFE"), "known format"));
}

TEST_CASE("a name may hold any bytes, brackets and newlines among them") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  for (const std::string name : {"a[page=3].png", "b\nc.png", "\xFF\xFE.png", "%s%n.png"}) {
    std::filesystem::copy_file(Asset("odd/pillow/hopper.png"), folder / name);
    CHECK(ReadAll(folder / name, {}).layout() == Layout{128, 128, 3, Sample::kU8});
  }
}

TEST_CASE("limits are checked on the header, before anything is decoded") {
  if (!HaveAssets()) return;
  ImageLimits small;
  small.max_pixels = 128 * 128 - 1;
  CHECK(Probe(Asset("odd/pillow/hopper.png"), small).error().code == Code::kLimitExceeded);
  CHECK(Probe(Asset("odd/pillow/hopper_gray.jpg"), small).error().code == Code::kLimitExceeded);
  CHECK(Probe(Asset("odd/pillow/hopper.webp"), small).error().code == Code::kLimitExceeded);
  small = {};
  small.max_file_bytes = 100;
  CHECK(Probe(Asset("odd/pillow/hopper.png"), small).error().code == Code::kLimitExceeded);
  CHECK(Probe(Asset("odd/sharp/65536-uint32-limit.png"), {}).error().code == Code::kLimitExceeded);
}

TEST_CASE("truncated files are refused, telling where, or read as far as they go") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  for (const std::string name :
       {"photos/bsds500-val/101085.jpg", "photos/scikit-image/coffee.png", "odd/pillow/flower.webp",
        "odd/pillow/hopper.bmp", "odd/image-rs+image/tests/images/jpg/progressive/cat.jpg",
        "odd/sharp/bonne.geo.tif", "odd/pillow/hopper_zero_comment_subblocks.gif"}) {
    CAPTURE(name);
    const std::string bytes = ReadFile(Asset(name));
    Result<ImageHeader> whole_header = Probe(Asset(name), {});
    if (!whole_header) {
      CHECK(whole_header.error().code == Code::kUnknownFormat);  // .bmp: not supported, and said so
      continue;
    }
    const std::string path = folder / "cut";
    WriteFile(path, bytes.substr(0, bytes.size() * 6 / 10));
    const Error error = ReadError(path);
    CAPTURE(error.message);
    CHECK((error.code == Code::kTruncated || error.code == Code::kMalformed));
    Result<ImageHeader> header = Probe(path, {});
    if (!header) continue;  // its directory is at the end: nothing can be kept
    CHECK(Contains(error.message, "--allow-truncated"));
    ReadOptions lenient;
    lenient.allow_truncated = true;
    Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, lenient);
    if (!rows) {
      CHECK(header->format == ImageFormat::kWebp);  // libwebp gives nothing of a lossless or broken frame
      continue;
    }
    const Image kept = TakeAll(**rows);
    CHECK(!(*rows)->notes().empty());
    const Image whole = ReadAll(Asset(name), {});
    if (header->format == ImageFormat::kGif && kept.layout() != whole.layout())
      continue;  // alpha is known at the end
    REQUIRE(kept.layout() == whole.layout());
    if (header->format == ImageFormat::kJpeg && !header->several_scans) {
      // Rows well before the cut are untouched.
      const size_t quarter = whole.layout().row_bytes() * static_cast<size_t>(whole.layout().height) / 4;
      CHECK(std::equal(whole.row(0), whole.row(0) + quarter, kept.row(0)));
    }
  }
  const std::string photo = ReadFile(Asset("photos/bsds500-val/101085.jpg"));
  WriteFile(folder / "photo", photo.substr(0, photo.size() / 2));
  const Error error = ReadError(folder / "photo");
  CHECK(error.code == Code::kTruncated);
  CHECK(Contains(error.message, "JPEG data ends at row "));
  CHECK(Contains(error.message, " of 481 (use --allow-truncated"));
  // Only the end marker is missing: nothing is lost.
  WriteFile(folder / "photo", photo.substr(0, photo.size() - 2));
  CHECK(Checksum(ReadAll(folder / "photo", {})) ==
        Checksum(ReadAll(Asset("photos/bsds500-val/101085.jpg"), {})));
}

TEST_CASE("messages of four threads' broken files belong to their own files") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  struct Job {
    std::string path;
    std::string expected;  // message when decoded alone
  };
  std::vector<Job> jobs;
  for (const std::string name :
       {"odd/pillow/hopper.png", "photos/scikit-image/coffee.png", "odd/pillow/flower.webp",
        "odd/sharp/bonne.geo.tif", "odd/pillow/hopper.webp", "odd/quality-issues/image_103.png",
        "odd/pillow/iss634.gif", "odd/pillow/comment.jp2", "odd/pillow/avif/hopper.avif"}) {
    const std::string bytes = ReadFile(Asset(name));
    for (const size_t tenths : {3, 8}) {
      const std::string path = folder / ("cut" + std::to_string(jobs.size()));
      WriteFile(path, bytes.substr(0, bytes.size() * tenths / 10));
      const std::optional<Error> error = TryReading(path);
      jobs.push_back({path, error ? error->message : ""});
    }
  }
  jobs.push_back({Asset("photos/bsds500-val/101085.jpg"), ""});
  jobs.push_back({Asset("odd/pillow/hopper.png"), ""});
  jobs.push_back({Asset("odd/pillow/icc_profile.png"), ""});

  CHECK(std::count_if(jobs.begin(), jobs.end(), [](const Job& job) { return !job.expected.empty(); }) > 12);

  std::atomic<size_t> wrong = 0;
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t round = 0; round < 4; ++round) {
        for (size_t i = 0; i < jobs.size(); ++i) {
          const Job& job = jobs[(i * (2 * t + 1) + t) % jobs.size()];
          const std::optional<Error> error = TryReading(job.path);
          const std::string message = error ? error->message : "";
          if (message != job.expected) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("no library prints to stdout or stderr, whatever a file holds") {
  if (!HaveAssets()) return;
  const TemporaryFolder folder;
  const int saved_out = dup(1);
  const int saved_err = dup(2);
  const int capture = open((folder / "printed").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  dup2(capture, 1);
  dup2(capture, 2);
  for (const std::string& path : AssetFiles({"odd"})) {
    Result<ImageHeader> header = Probe(path, {});
    if (!header || header->width * header->height > 1000000) continue;
    ReadOptions lenient;
    lenient.allow_truncated = true;
    Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, lenient);
    if (rows) (void)Drain(**rows);
  }
  dup2(saved_out, 1);
  dup2(saved_err, 2);
  for (const int descriptor : {saved_out, saved_err, capture}) close(descriptor);
  CHECK(ReadFile(folder / "printed") == "");
}

TEST_CASE("what was never written is missed, and the rest kept where that is allowed") {
  const std::string folder = IMGMILL_SOURCE_DIR "/tests/corpus/files/unwritten/";
  for (const std::string name : {"zeros_a.gif", "zeros_a.jp2", "zeros_tiles.j2k", "zeros_lossy.webp",
                                 "zeros_lossless.webp", "zeros_a.avif"}) {
    CAPTURE(name);
    const Error error = ReadError(folder + name);
    CHECK(error.code == Code::kTruncated);
    CHECK(Contains(error.message, "--allow-truncated"));
    const ImageHeader header = Probe(folder + name, {}).value();
    ReadOptions lenient;
    lenient.allow_truncated = true;
    const std::unique_ptr<RowReader> rows = OpenRows(folder + name, header, lenient).value();
    (void)TakeAll(*rows);
    CHECK(std::any_of(rows->notes().begin(), rows->notes().end(),
                      [](const std::string& note) { return Contains(note, "the readable part is kept"); }));
  }
}
