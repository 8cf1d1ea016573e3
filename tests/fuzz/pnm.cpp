// Fuzzes PBM, PGM, PPM, PAM and PFM: their headers, numbers in text, and rows of every kind.
#include "fuzz/whole_image.h"
#include "image/pnm_rows.h"

using namespace imgmill;

namespace {

constexpr int64_t kMostPixels = int64_t{1} << 18;  // limits are checked before a picture is opened

std::optional<ImageHeader> Header(const std::string& path) {
  Result<InputFile> file = InputFile::Open(path, Stage::kProbe);
  fuzz::Require(file.ok());
  const Result<FileHead> head = ReadHead(*file, Stage::kProbe);
  if (!head || !IsPnm(*head)) return std::nullopt;
  const Result<PnmHeader> pnm = ReadPnmHeader(*file, Stage::kProbe);
  if (!pnm) return std::nullopt;
  fuzz::Require(pnm->width > 0 && pnm->height > 0 && pnm->white > 0 && pnm->pixels_at <= file->bytes());
  if (pnm->width > kMostPixels || pnm->height > kMostPixels / pnm->width) return std::nullopt;
  return HeaderOfPnm(*pnm, file->bytes());
}

std::vector<uint8_t> Pixels(const std::string& path, const ImageHeader& header, bool lenient,
                            uint8_t before) {
  Result<std::unique_ptr<RowReader>> rows = OpenPnmRows(path, header, lenient);
  fuzz::Require(rows || !lenient);
  return rows ? fuzz::AllRows(**rows, before) : std::vector<uint8_t>();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  const std::optional<ImageHeader> header = Header(path);
  if (!header) return 0;
  for (const bool lenient : {false, true}) {
    const std::vector<uint8_t> pixels = Pixels(path, *header, lenient, 0);
    fuzz::Require(pixels == Pixels(path, *header, lenient, 255));
    fuzz::Require(!lenient || !pixels.empty());
  }
  return 0;
}
