// How written images are stored: the flags that every command has that writes any.
#pragma once

#include <optional>
#include <string>

#include "imgmill/image/writer.h"

namespace imgmill {

class Flags;

struct OutputFormat {
  /// "png", "jpg", "webp", "jxl" or "avif", and "tiff" where the command can write it.
  std::string format = "png";

  // Each goes with some formats only, and is refused with others.

  /// 1 to 100, for jpg, webp, jxl and avif. 100 makes all but jpg lossless. Not given: 90.
  std::optional<int> quality;

  /// 0 to 9, for png. 1 is many times faster than 6 and some 10 % larger. Not given: 1.
  std::optional<int> compression;

  /// How hard the encoder looks for a smaller file: 0 to 6 for webp, 1 to 9 for jxl and avif, whose 9 takes
  /// up to a hundred times as long as 1, for files a few per cent smaller. Not given: 4 for webp, else 3.
  std::optional<int> effort;

  /// For jpg and avif: "full" or "half" resolution of colours; "auto" is full from quality 90 on.
  std::string chroma = "auto";

  /// The flags of the above.
  /// @param formats  in words: "png, jpg, webp, tiff, jxl or avif"
  void AddFlags(Flags& flags, const std::string& formats);
  /// The first that is wrong. @param formats  as for AddFlags; a format not named there is refused
  std::optional<std::string> Check(const std::string& formats) const;

  /// For rows read with ReadOptions::keep_profile.
  WriteOptions Writing() const;
  /// What determines an output's bytes: "png/2 q90 c1".
  std::string Text() const;
};

}  // namespace imgmill
