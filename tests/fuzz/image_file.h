// The bytes that a fuzzer tries, opened as the readers of src/image take a file.
#pragma once

#include <utility>

#include "fuzz/input_file.h"
#include "image/open_file.h"

namespace fuzz {

inline imgmill::InputFile OpenImageFile(const uint8_t* data, size_t bytes) {
  imgmill::Result<imgmill::InputFile> file =
      imgmill::InputFile::Open(InputFilePath(data, bytes), imgmill::Stage::kDecode);
  Require(file.ok());
  return *std::move(file);
}

}  // namespace fuzz
