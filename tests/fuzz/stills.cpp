// Fuzzes BMP, TGA, ICO, QOI, DDS and SGI: our reading of their headers and runs, FFmpeg's decoders behind it,
// and our rows.
#include "fuzz/whole_image.h"
#include "image/still/still_rows.h"
#include "image/vips_load.h"

using namespace imgmill;

namespace {

std::optional<ImageHeader> Header(const std::string& path) {
  Result<InputFile> file = InputFile::Open(path, Stage::kProbe);
  fuzz::Require(file.ok());
  const Result<FileHead> head = ReadHead(*file, Stage::kProbe);
  if (!head) return std::nullopt;
  const std::optional<StillHeader> still = ReadStillHeader(*file, *head, true);
  if (!still) return std::nullopt;
  fuzz::Require(still->width > 0 && still->height > 0);
  if (!fuzz::IsFewPixels(still->width, still->height)) return std::nullopt;
  const Result<ImageHeader> header = HeaderOfStill(*still, file->bytes());
  return header ? std::optional(*header) : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  const std::optional<ImageHeader> header = Header(path);
  if (!header) return 0;
  fuzz::Require(LoadStillModule(Stage::kDecode).ok());
  fuzz::RowsTwice([&](bool lenient) { return OpenStillRows(path, *header, lenient); });
  return 0;
}
