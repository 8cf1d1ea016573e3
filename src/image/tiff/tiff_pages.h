// The pages of a TIFF, one after the other: which of its directories are pages, and each one's header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "image/open_file.h"
#include "imgmill/base/result.h"
#include "imgmill/image/reader.h"

namespace imgmill {

struct TiffDirectory;

/// Whether a directory is not noted as a smaller copy, a thumbnail or a mask.
bool IsTiffPage(const TiffDirectory& directory);

/// Goes along the chain of directories: the first, whatever it is, and those behind it that are pages. The
/// file must outlive it.
class TiffPageWalk {
 public:
  explicit TiffPageWalk(const InputFile& file) : file_(file) {}

  /// Offset of the next page's directory; nothing behind the last one, and after an error: kMalformed where
  /// the chain is broken or leads back.
  Result<std::optional<uint64_t>> Next();

 private:
  const InputFile& file_;
  uint64_t next_ = 0;  ///< of the chain
  bool over_ = false;
  uint64_t steps_ = 0;
  uint64_t mark_ = 0;  ///< a directory that was met; the chain is a circle if it comes again
  uint64_t mark_until_ = 1;
};

/// Probe, for the page whose directory lies at `directory`.
Result<ImageHeader> ProbeTiffPage(const std::string& path, const ImageLimits& limits, uint64_t directory);

}  // namespace imgmill
