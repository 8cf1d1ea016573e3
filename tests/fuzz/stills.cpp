// Fuzzes BMP, TGA, ICO and QOI: our reading of their headers and runs, FFmpeg's decoders behind it, and our
// rows.
#include "fuzz/whole_image.h"
#include "image/still_rows.h"
#include "image/vips_load.h"

using namespace imgmill;

namespace {

constexpr int64_t kMostPixels = int64_t{1} << 18;  // limits are checked before a picture is opened

std::optional<ImageHeader> Header(const std::string& path) {
  Result<InputFile> file = InputFile::Open(path, Stage::kProbe);
  fuzz::Require(file.ok());
  const Result<FileHead> head = ReadHead(*file, Stage::kProbe);
  if (!head) return std::nullopt;
  const std::optional<StillHeader> still = ReadStillHeader(*file, *head, true);
  if (!still) return std::nullopt;
  fuzz::Require(still->width > 0 && still->height > 0);
  if (still->width > kMostPixels || still->height > kMostPixels / still->width) return std::nullopt;
  const Result<ImageHeader> header = HeaderOfStill(*still, file->bytes());
  return header ? std::optional(*header) : std::nullopt;
}

std::vector<uint8_t> Pixels(const std::string& path, const ImageHeader& header, bool lenient,
                            uint8_t before) {
  Result<std::unique_ptr<RowReader>> rows = OpenStillRows(path, header, lenient);
  return rows ? fuzz::AllRows(**rows, before) : std::vector<uint8_t>();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  const std::optional<ImageHeader> header = Header(path);
  if (!header) return 0;
  fuzz::Require(LoadStillModule(Stage::kDecode).ok());
  for (const bool lenient : {false, true}) {
    fuzz::Require(Pixels(path, *header, lenient, 0) == Pixels(path, *header, lenient, 255));
  }
  return 0;
}
