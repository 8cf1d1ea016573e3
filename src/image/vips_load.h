// Opening a file with the libvips reader that its content asks for.
#pragma once

#include <string>
#include <string_view>

#include "imgmill/base/image_format.h"
#include "open_file.h"
#include "vips_session.h"

namespace imgmill {

/// First bytes of a file, enough to know its kind.
struct FileHead {
  unsigned char bytes[64] = {};
  size_t size = 0;
  ImageFormat format = ImageFormat::kOther;  ///< that they are the signature of
  std::string_view text() const { return {reinterpret_cast<const char*>(bytes), size}; }
};
Result<FileHead> ReadHead(const InputFile& file, Stage stage);

/// The image, header read and pixels still to come, to be taken in row order. Null: libvips failed, and its
/// error buffer says why; `format` is the one whose reader claimed the file, else kOther. Call under
/// VipsShared or VipsAlone. `path` serves the one format (OpenEXR) that cannot be read from a descriptor.
ImageRef LoadWithVips(const InputFile& file, const FileHead& head, const std::string& path,
                      VipsFailOn fail_on, ImageFormat* format);

/// Why a file that no reader claims is no image, as far as its first bytes tell, and what to do about it:
/// kUnknownFormat, or kMalformed where they begin like a format that is known.
Error WhyUnknown(const InputFile& file, const FileHead& head, Stage stage);

}  // namespace imgmill
