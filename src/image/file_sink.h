// What an encoder of ours writes, into a file.
#pragma once

#include "image/png/png_pixels.h"
#include "output_file.h"

namespace imgmill {

class FileSink final : public ByteSink {
 public:
  explicit FileSink(OutputFile& file) : file_(file) {}
  bool Take(std::span<const uint8_t> bytes) override { return file_.Append(bytes); }

 private:
  OutputFile& file_;
};

}  // namespace imgmill
