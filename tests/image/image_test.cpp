// See image_test.h.
#include "image_test.h"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "imgmill/memory/system_memory.h"

namespace imgmill::image_test {
namespace {

char guarded[4096];

void OnAlarm(int) {
  // Only what is allowed in a signal handler.
  const char text[] = "\nTimeGuard: took too long: ";
  (void)!write(2, text, sizeof text - 1);
  (void)!write(2, guarded, std::char_traits<char>::length(guarded));
  (void)!write(2, "\n", 1);
  _exit(99);
}

}  // namespace

bool HaveAssets() {
  if (std::getenv("IMGMILL_TEST_ASSETS") != nullptr) return true;
  MESSAGE("SKIPPED: IMGMILL_TEST_ASSETS is not set");
  return false;
}

std::string Asset(const std::string& name) {
  return std::string(std::getenv("IMGMILL_TEST_ASSETS")) + "/" + name;
}

std::vector<std::string> AssetFiles(const std::vector<std::string>& folders) {
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Asset(folder))) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = std::filesystem::temp_directory_path() / "imgmill-image-XXXXXX";
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TimeGuard::TimeGuard(const std::string& what, unsigned seconds) {
  what.copy(guarded, sizeof guarded - 1);
  guarded[std::min(what.size(), sizeof guarded - 1)] = '\0';
  signal(SIGPROF, &OnAlarm);
  signal(SIGALRM, &OnAlarm);
  const itimerval processor = {{0, 0}, {static_cast<time_t>(seconds), 0}};
  setitimer(ITIMER_PROF, &processor, nullptr);
  alarm(10 * seconds);
}

TimeGuard::~TimeGuard() {
  const itimerval none = {};
  setitimer(ITIMER_PROF, &none, nullptr);
  alarm(0);
}

void NoHugePages() {
  ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

MemoryGrowth::MemoryGrowth() {
  NoHugePages();
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;
  before_ = ReadProcessMemory().resident;
}

size_t MemoryGrowth::Bytes() const {
  const size_t peak = ReadProcessMemory().peak_resident;
  return peak - std::min(peak, before_);
}

Image TakeAll(RowReader& rows, int64_t strip) {
  Image image(rows.layout());
  for (int64_t y = 0; y < rows.layout().height; y += strip) {
    const int64_t now = std::min(strip, rows.layout().height - y);
    Status status = rows.Read(now, image.row(y), rows.layout().row_bytes());
    if (!status) FAIL(status.error().message);
  }
  return image;
}

Image ReadAll(const std::string& path, const ReadOptions& options, int64_t strip) {
  Result<ImageHeader> header = Probe(path, {});
  if (!header) FAIL(Describe(path, header.error()));
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, options);
  if (!rows) FAIL(Describe(path, rows.error()));
  CHECK((*rows)->layout() == ReadLayout(*header, options));
  return TakeAll(**rows, strip);
}

Status Drain(RowReader& rows) {
  constexpr int64_t kStrip = 64;
  std::vector<uint8_t> pixels(rows.layout().row_bytes() * kStrip);
  for (int64_t y = 0; y < rows.layout().height; y += kStrip) {
    Status status =
        rows.Read(std::min(kStrip, rows.layout().height - y), pixels.data(), rows.layout().row_bytes());
    if (!status) return status;
  }
  return {};
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  REQUIRE(file.flush());
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

uint64_t Checksum(const Image& image) {
  uint64_t hash = 0xcbf29ce484222325;
  for (int64_t y = 0; y < image.layout().height; ++y) {
    for (size_t i = 0; i < image.layout().row_bytes(); ++i) {
      hash = (hash ^ image.row(y)[i]) * 0x100000001b3;
    }
  }
  return hash;
}

}  // namespace imgmill::image_test
