// Fuzzes the walks over the blocks of GIF, JPEG 2000, WebP, HEIF, PNG and OpenEXR files: they end, and see
// nothing that is not in the file.
#include "image/missing_end.h"

#include "fuzz/image_file.h"
#include "image/vips_load.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const InputFile file = fuzz::OpenImageFile(data, bytes);
  Result<FileHead> head = ReadHead(file, Stage::kDecode);
  fuzz::Require(head.ok());
  for (const std::optional<Error>& missing : {FindMissingEnd(file, head->format), FindMissingPngEnd(file)}) {
    if (missing) fuzz::Require(missing->code == Code::kTruncated && !missing->message.empty());
  }
  for (const std::optional<Error>& too_short : {FindTooShortGif(file), FindTooShortPng(file)}) {
    if (too_short) fuzz::Require(too_short->code == Code::kTruncated && !too_short->message.empty());
  }
  if (const std::optional<Error> wrong = FindMissingExrHeader(file)) fuzz::Require(!wrong->message.empty());
  return 0;
}
