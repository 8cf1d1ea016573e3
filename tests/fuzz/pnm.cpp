// Fuzzes PBM, PGM, PPM, PAM and PFM: their headers, numbers in text, and rows of every kind.
#include "fuzz/whole_image.h"
#include "image/pnm/pnm_rows.h"

using namespace imgmill;

namespace {

std::optional<ImageHeader> Header(const std::string& path) {
  Result<InputFile> file = InputFile::Open(path, Stage::kProbe);
  fuzz::Require(file.ok());
  const Result<FileHead> head = ReadHead(*file, Stage::kProbe);
  if (!head || head->format != ImageFormat::kPnm) return std::nullopt;
  const Result<PnmHeader> pnm = ReadPnmHeader(*file, Stage::kProbe);
  if (!pnm) return std::nullopt;
  fuzz::Require(pnm->width > 0 && pnm->height > 0 && pnm->white > 0 && pnm->pixels_at <= file->bytes());
  if (!fuzz::IsFewPixels(pnm->width, pnm->height)) return std::nullopt;
  return HeaderOfPnm(*pnm, file->bytes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::string path = fuzz::InputFilePath(data, bytes);
  const std::optional<ImageHeader> header = Header(path);
  if (!header) return 0;
  // Whatever is missing, lenient reading gives a picture.
  fuzz::Require(!fuzz::RowsTwice([&](bool lenient) { return OpenPnmRows(path, *header, lenient); }).empty());
  return 0;
}
