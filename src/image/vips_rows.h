// Rows out of a libvips pipeline, with errors that belong to the file that caused them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rows_image.h"

namespace imgmill {

/// A pipeline whose pixels are canonical: grey or sRGB, 1 to 4 bands.
struct VipsPipeline {
  ImageRef image;
  std::vector<std::string> notes;
  std::shared_ptr<RowsFeed> feed;  ///< where its rows come from a RowReader
  int shrink = 1;
};

/// What a maker made: a pipeline, or an error of our own, or neither, and then libvips' error buffer tells.
struct MadePipeline {
  std::optional<VipsPipeline> pipeline;
  std::optional<Error> error;
};

/// Builds a pipeline afresh, from opening the file on; leniently where broken data is to be tolerated. Called
/// under VipsShared or VipsAlone.
using PipelineMaker = std::function<MadePipeline(bool lenient)>;

/// Reads `make`'s pixels row by row. When libvips fails, the same is tried again alone, for its message;
/// then, if `allow_truncated`, leniently, and what is missing is noted.
Result<std::unique_ptr<RowReader>> OpenVipsRows(PipelineMaker make, bool allow_truncated);

}  // namespace imgmill
