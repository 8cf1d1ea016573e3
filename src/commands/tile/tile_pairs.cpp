// Scales by division, and the smallest of the parts that each partner shows.
#include "tile_pairs.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <set>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "commands/paired_source.h"
#include "imgmill/base/path_text.h"
#include "tile_names.h"

namespace imgmill {
namespace {

std::string Text(const PixelSize& size) {
  return std::to_string(size.width) + "x" + std::to_string(size.height);
}

/// Or a number beyond all sizes of images.
int64_t CommonMultiple(std::span<const int> scales) {
  constexpr int64_t kBeyond = int64_t{1} << 31;
  int64_t common = 1;
  for (const int scale : scales) {
    if (common < kBeyond) common = std::lcm(common, int64_t{scale});
  }
  return common;
}

/// Whether partners of these sizes are the image, cropped to a multiple of all scales, made smaller.
bool AreOfOneCrop(const PixelSize& high, std::span<const PixelSize> lows, std::span<const int> scales) {
  const int64_t common = CommonMultiple(scales);
  const int64_t width = high.width - high.width % common, height = high.height - high.height % common;
  for (size_t i = 0; i < lows.size(); ++i) {
    if (lows[i].width * scales[i] != width || lows[i].height * scales[i] != height) return false;
  }
  return true;
}

bool LeavesLessThanOne(const PixelSize& high, const PixelSize& low, int64_t scale) {
  return scale >= 1 && high.width / scale == low.width && high.height / scale == low.height;
}

bool IsLarger(const PixelSize& low, const PixelSize& high) {
  return low.width >= high.width && low.height >= high.height &&
         (low.width > high.width || low.height > high.height);
}

/// Of a partner whose sides were rounded up when the image was made smaller: how many times smaller. 0 for
/// others.
int64_t RoundedScale(const PixelSize& high, const PixelSize& low) {
  const auto of_side = [](int64_t large, int64_t small) {
    return (large + small / 2) / std::max<int64_t>(1, small);
  };
  const int64_t scale = of_side(high.width, low.width);
  const auto fits = [&](int64_t large, int64_t small) { return std::abs(large - small * scale) < scale; };
  return scale >= 2 && fits(high.width, low.width) && fits(high.height, low.height) ? scale : 0;
}

/// Names the first partner of another shape.
Error DoesNotFit(const PixelSize& high, std::span<const GroupMember> lows, bool cropped) {
  std::vector<PixelSize> sizes;
  for (const GroupMember& low : lows) sizes.push_back(low.size);
  const auto other = std::ranges::find_if(
      lows, [&](const GroupMember& low) { return PairScale(high, low.size, cropped) == 0; });
  const std::string both = "it is " + Text(high) + " and its partner " + PrintablePath(other->path) + " " +
                           Text(other->size) + ": ";
  if (IsLarger(other->size, high))
    return {
        Stage::kProbe, Code::kConflict,
        both + "the partner is the larger one (swap the folders: --pair takes that of the smaller images)"};
  const bool would_fit = !cropped && !ScalesOfGroup(high, sizes, true).empty();
  std::string advice;
  if (would_fit) {
    advice = " (if the partner was made of the image cropped to a multiple, use --crop-pairs)";
  } else if (const int64_t rounded = RoundedScale(high, other->size); rounded > 0) {
    advice = " (it may have been made " + std::to_string(rounded) +
             " times smaller, with its sides rounded: make it of the image cropped to a multiple of " +
             std::to_string(rounded) + ", as imgmill upscale --crop does, and use --crop-pairs)";
  }
  return {Stage::kProbe, Code::kConflict, both + "that is not a whole-number scale" + advice};
}

}  // namespace

int PairScale(const PixelSize& high, const PixelSize& low, bool cropped) {
  const int64_t scale = high.width / std::max<int64_t>(1, low.width);
  if (scale >= 1 && low.width * scale == high.width && low.height * scale == high.height)
    return static_cast<int>(scale);
  if (!cropped) return 0;
  // Of few pixels several scales can be right: then which is, nobody knows.
  const int64_t of_height = high.height / std::max<int64_t>(1, low.height);
  const int64_t largest = std::min(scale, of_height);
  if (!LeavesLessThanOne(high, low, largest) || LeavesLessThanOne(high, low, largest - 1)) return 0;
  return static_cast<int>(largest);
}

std::vector<int> ScalesOfOneCrop(const PixelSize& high, std::span<const PixelSize> lows) {
  std::vector<int> scales;
  for (const PixelSize& low : lows) {
    const int64_t scale = std::min(high.width / std::max<int64_t>(1, low.width),
                                   high.height / std::max<int64_t>(1, low.height));
    if (scale < 1) return {};
    scales.push_back(static_cast<int>(scale));
  }
  if (!AreOfOneCrop(high, lows, scales)) return {};
  // Of few pixels other scales can be right, too: then which are, nobody knows. Whatever the crop, they have
  // the same proportions.
  int divisor = 0;
  for (const int scale : scales) divisor = std::gcd(divisor, scale);
  for (int part = divisor - 1; part > 0; --part) {
    std::vector<int> others = scales;
    for (int& scale : others) scale = scale / divisor * part;
    if (AreOfOneCrop(high, lows, others)) return {};
  }
  return scales;
}

std::vector<int> ScalesOfGroup(const PixelSize& high, std::span<const PixelSize> lows, bool cropped) {
  std::vector<int> scales;
  for (const PixelSize& low : lows) scales.push_back(PairScale(high, low, cropped));
  if (std::ranges::find(scales, 0) == scales.end()) return scales;
  return cropped ? ScalesOfOneCrop(high, lows) : std::vector<int>();
}

Result<GroupShape> ShapeOfGroup(const PixelSize& high, std::span<const GroupMember> lows,
                                const TileOptions& options) {
  std::vector<PixelSize> sizes;
  for (const GroupMember& low : lows) sizes.push_back(low.size);
  GroupShape shape{high, ScalesOfGroup(high, sizes, options.crop_pairs)};
  if (shape.scales.empty() && !lows.empty()) return DoesNotFit(high, lows, options.crop_pairs);
  for (size_t i = 0; i < sizes.size(); ++i) {
    shape.area.width = std::min(shape.area.width, sizes[i].width * shape.scales[i]);
    shape.area.height = std::min(shape.area.height, sizes[i].height * shape.scales[i]);
  }
  const int64_t common = CommonMultiple(shape.scales);
  // Whole pixels of every partner.
  shape.area.width -= shape.area.width % common;
  shape.area.height -= shape.area.height % common;
  if (options.size % common == 0 && options.Step() % common == 0) return shape;
  const int64_t fitting = std::max<int64_t>(1, options.size / common) * common;
  const std::string partners = lows.size() == 1 ? std::to_string(common) + " times as large as its partner"
                                                : "larger than its partners by " + std::to_string(common) +
                                                      " as the least common multiple of the scales";
  return Error{Stage::kProbe, Code::kConflict,
               "it is " + partners + ", and tiles of " + std::to_string(options.size) + " every " +
                   std::to_string(options.Step()) + " pixels are not multiples of that (use --size " +
                   std::to_string(fitting) + ", and a stride that is one)"};
}

std::vector<std::string> LowFolders(const TileOptions& options) {
  if (options.pairs.size() == 1) return {std::string(kLowFolder)};
  std::vector<std::string> folders;
  for (const std::string& pair : options.pairs)
    folders.push_back(std::string(NameOf(WithoutRedundancy(pair))) + "/");
  return folders;
}

PairNameOptions NamesOfPair(const TileOptions& options, size_t number) {
  PairNameOptions names;
  names.own = options.own_name;
  if (!options.pair_names.empty())
    names.partner = options.pair_names[std::min(number, options.pair_names.size() - 1)];
  return names;
}

std::optional<std::string> CheckPairs(const TileOptions& options) {
  const size_t count = options.pairs.size();
  if (count == 0 && (!options.pair_names.empty() || options.own_name != "{name}"))
    return "--own-name and --pair-name go with --pair DIR";
  if (count == 0 && options.crop_pairs) return "--crop-pairs goes with --pair DIR";
  if (options.pair_names.size() > 1 && options.pair_names.size() != count)
    return "give --pair-name once, or as often as --pair";
  for (size_t i = 0; i < std::max<size_t>(1, count); ++i) {
    if (auto wrong = NamesOfPair(options, i).Check()) return wrong;
  }
  std::set<std::string> names = {std::string(kHighFolder)};
  for (const std::string& folder : LowFolders(options)) {
    if (folder == "/" || folder == "./" || folder == "../")
      return "several --pair folders need names, which those of their tiles get: write them out";
    if (!names.insert(folder).second)
      return "the tiles of two --pair folders, or of one and the images, would go to " +
             PrintablePath(folder) + " (rename one, or use a link)";
  }
  return std::nullopt;
}

}  // namespace imgmill
