// What the tests of src/image share: assets, temporary folders, and whole images out of row readers.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "imgmill/image/reader.h"
#include "imgmill/image/writer.h"

namespace imgmill::image_test {

/// False, with a message, where the test assets are not given.
bool HaveAssets();
std::string Asset(const std::string& name);
/// All regular files below these folders of the assets, sorted.
std::vector<std::string> AssetFiles(const std::vector<std::string>& folders);

/// A temporary folder, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Ends the process with a message when it takes more than `seconds` of the processor, or ten times as long:
/// a hang must not look like slowness, nor the other work of a busy machine like a hang.
class TimeGuard {
 public:
  TimeGuard(const std::string& what, unsigned seconds);
  ~TimeGuard();
};

/// What is touched of a block is resident from here on, and not all of the 2 MiB around it, as some systems
/// would have it: libjxl holds three times as much there for a very wide picture.
void NoHugePages();

/// By how much this process's resident memory grows from here on.
class MemoryGrowth {
 public:
  MemoryGrowth();  ///< resets the kernel's high-water mark
  /// At most so far, in bytes; never negative, though the kernel's figures are blurred by some pages a
  /// thread.
  size_t Bytes() const;

 private:
  size_t before_;
};

/// Probes and reads a whole image; any failure fails the test case. `strip` rows at a time.
Image ReadAll(const std::string& path, const ReadOptions& options, int64_t strip = 37);
/// Reads all rows of `rows` and forgets them.
Status Drain(RowReader& rows);
/// All rows of `rows`.
Image TakeAll(RowReader& rows, int64_t strip = 37);

void WriteFile(const std::string& path, const std::string& bytes);
std::string ReadFile(const std::string& path);

/// 64-bit FNV-1a of the pixels, as the golden values use it.
uint64_t Checksum(const Image& image);

}  // namespace imgmill::image_test
