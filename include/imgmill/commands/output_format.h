// How written images are stored: the flags that every command has that writes any.
#pragma once

#include <optional>
#include <string>

#include "imgmill/image/writer.h"

namespace CLI {
class App;
}

namespace imgmill {

struct OutputFormat {
  /// "png", "jpg" or "webp", and "tiff" where the command can write it.
  std::string format = "png";

  /// 1 to 100, for jpg and webp. 100 makes webp lossless.
  int quality = 90;

  /// 0 to 9, for png. 1 is many times faster than 6 and some 10 % larger.
  int compression = 1;

  /// --format, --quality and --compression.
  /// @param formats  in words: "png, jpg, webp or tiff"
  void AddFlags(CLI::App& app, const std::string& formats);
  /// The first that is wrong. @param formats  as for AddFlags; a format not named there is refused
  std::optional<std::string> Check(const std::string& formats) const;

  /// For rows read with ReadOptions::keep_profile.
  WriteOptions Writing() const;
  /// What determines an output's bytes: "png/2 q90 c1".
  std::string Text() const;
};

}  // namespace imgmill
