// Photos of the test material as the makers of golden files see them.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "imgmill/image/reader.h"

namespace imgmill {

/// As Pillow decodes it by convert("RGBA").convert("RGB"): 8-bit, no profile applied, no alpha.
/// @param name  below `assets`/photos
inline Image ReadGoldenPhoto(const std::string& assets, const std::string& name) {
  const std::string path = assets + "/photos/" + name;
  const auto header = Probe(path, ImageLimits{});
  REQUIRE(header.ok());
  ReadOptions options;
  options.keep_profile = true;
  options.alpha = ReadOptions::Alpha::kDrop;
  options.to_8bit = true;
  const auto reader = OpenRows(path, *header, options);
  REQUIRE(reader.ok());
  Image image((*reader)->layout());
  REQUIRE((*reader)->Read(image.layout().height, image.row(0), image.layout().row_bytes()).ok());
  return image;
}

}  // namespace imgmill
