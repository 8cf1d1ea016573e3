// A disk that stops answering in the middle of a file: an error of the run, whatever is allowed of broken
// files. Reads of this program fail where a test says so; the code of the fault is the system's.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <random>

#include "image_test.h"

namespace {

std::atomic<off_t> fails_from = std::numeric_limits<off_t>::max();  // libvips has threads of its own

}  // namespace

// In place of the C library's, for all that this program reads.
extern "C" ssize_t pread(int descriptor, void* to, size_t bytes, off_t offset) {
  using Read = ssize_t (*)(int, void*, size_t, off_t);
  static const auto next = reinterpret_cast<Read>(dlsym(RTLD_NEXT, "pread"));
  if (offset + static_cast<off_t>(bytes) > fails_from) {
    errno = EIO;
    return -1;
  }
  return next(descriptor, to, bytes, offset);
}

namespace imgmill::image_test {
namespace {

/// Reads behind `from` fail as long as it lives.
class Fault {
 public:
  explicit Fault(off_t from) { fails_from = from; }
  ~Fault() { fails_from = std::numeric_limits<off_t>::max(); }
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;
};

/// Noise, of which half a file is many rows.
std::string Written(const TemporaryFolder& folder, const std::string& name) {
  const Layout layout{400, 400, 3, Sample::kU8};
  std::mt19937 random(7);
  Image image(layout);
  for (int64_t y = 0; y < layout.height; ++y) {
    uint8_t* row = image.row(y);
    for (size_t i = 0; i < layout.row_bytes(); ++i) row[i] = static_cast<uint8_t>(random());
  }
  const std::string path = folder / name;
  if (name.ends_with(".ppm")) {
    std::string text = "P3 400 400 255\n";
    for (int64_t y = 0; y < layout.height; ++y) {
      for (size_t i = 0; i < layout.row_bytes(); ++i) text += std::to_string(image.row(y)[i]) + "\n";
    }
    WriteFile(path, text);
    return path;
  }
  WriteOptions options;
  options.format = FileFormatFromExtension(name.substr(name.rfind('.'))).value();
  options.quality = 100;
  const std::unique_ptr<RowWriter> writer = CreateRows(path, layout, options, "").value();
  REQUIRE(writer->Write(image.view()));
  REQUIRE(writer->Finish());
  return path;
}

}  // namespace

TEST_CASE("a file that cannot be read for a while is no broken one: nothing of it is kept as its rest") {
  const TemporaryFolder folder;
  ReadOptions options;
  SUBCASE("strict") {}
  SUBCASE("lenient") {
    options.allow_truncated = true;
  }
  for (const std::string name : {"a.jpg", "text.ppm"}) {  // libvips has reads of its own
    CAPTURE(name);
    const std::string path = Written(folder, name);
    const ImageHeader header = Probe(path, {}).value();
    const auto read = [&]() -> Status {
      Result<std::unique_ptr<RowReader>> rows = OpenRows(path, header, options);
      if (!rows) return rows.error();
      return Drain(**rows);
    };
    CHECK(read());
    const Fault fault(header.file_bytes / 2);
    const Status status = read();
    REQUIRE(!status);
    CHECK(status.error().code == Code::kReadError);
  }
}

}  // namespace imgmill::image_test
