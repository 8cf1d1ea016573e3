// The work on one pair: the rows of both, in step, into the meter.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compare_lpips.h"
#include "imgmill/engine/operation.h"
#include "imgmill/metrics/pair_meter.h"
#include "imgmill/metrics/shift_finder.h"

namespace imgmill {

/// What was found out about a pair, and what a catalog keeps of it.
struct MeasuredPair {
  PairFigures figures;
  int64_t width = 0;  ///< of what was compared, in pixels
  int64_t height = 0;
  Shift shift;  ///< 0 unless it was looked for; of equal images always reliable
};

/// JPEG files of a pair, shrunk: the image, its partner, and where they differ.
using PairPictureFiles = std::array<std::string, 3>;

struct ComparePayload final : Payload {
  std::string partner;
  int64_t width = 0;  ///< of the image
  int64_t height = 0;
  MeasuredPair measured;
  PairPictureFiles pictures;  ///< empty unless wanted
};

struct CompareTaskParts {
  ReadOptions reading;
  std::string resize;  ///< kernel; empty if the sizes are equal
  MetricSet metrics;
  int64_t crop_border = 0;
  bool align = false;
  bool pictures = false;
  const LpipsNetwork* lpips = nullptr;  ///< null if that is not asked for
};

/// What a task holds beside the reader of the image's own rows.
Footprint CompareCost(const Item& item, const CompareTaskParts& parts);

Result<std::unique_ptr<ItemTask>> MakeCompareTask(const Item& item, const CompareTaskParts& parts);

/// The error where nothing of such a pair would be left to compare, known from the headers.
Status LeavesPixels(int64_t width, int64_t height, const CompareTaskParts& parts);

}  // namespace imgmill
