// Canonical paths, and which of them an image lies below.
#include "dedup_places.h"

#include <algorithm>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "dedup_merit.h"
#include "dedup_operation.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

/// Those inputs that lie inside of the reference.
Result<std::vector<std::string>> AskedInside(const std::string& reference, const ListOptions& list,
                                             const std::string& as_given) {
  std::vector<std::string> inside;
  bool others = !list.files_from.empty();
  for (const std::string& path : list.paths) {
    std::string place = HoldsFiles(path) ? CanonicalOrSame(path) : AbsoluteEntry(path);
    if (place == reference) continue;  // TakePaths adds it, too
    others = true;
    if (IsAtOrBelow(place, reference)) inside.push_back(std::move(place));
  }
  if (others) return inside;
  return UsageError("--reference " + PrintablePath(as_given) +
                    " is the very folder that is searched: no image outside of it was given that could be a "
                    "duplicate (leave out --reference, or name the folder whose duplicates should go)");
}

}  // namespace

void DedupPlaces::Mark(const std::string& path, const std::string& absolute, DedupEntry& entry) const {
  const std::string place = entry.is_link ? AbsoluteEntry(path) : absolute;
  const auto lies_in = [&](const std::string& folder) { return IsAtOrBelow(place, folder); };
  for (size_t i = 0; i < folders.size(); ++i) {
    if (lies_in(folders[i])) entry.folders |= uint32_t{1} << i;
  }
  entry.in_reference =
      !reference.empty() && lies_in(reference) && std::none_of(asked.begin(), asked.end(), lies_in);
}

Result<DedupPlaces> FindPlaces(const DedupOptions& options, const KeepOrder& order, const ListOptions& list,
                               const StepsBefore& before) {
  const auto canonical = [&](const char* flag, const std::string& folder) -> Result<std::string> {
    if (HoldsFiles(folder) || before.MayMake(folder)) return CanonicalOrSame(folder);
    if (folder == "-")
      return UsageError(std::string(flag) + " -: an archive on stdin can be the images, not this folder");
    return UsageError(std::string(flag) + ": " + PrintablePath(folder) + " is not an existing folder");
  };
  DedupPlaces places;
  for (const std::string& folder : order.folders()) {
    std::string path = TRY(canonical("--keep-by", folder));
    places.folders.push_back(std::move(path));
  }
  if (!options.reference.empty()) {
    std::string path = TRY(canonical("--reference", options.reference));
    places.reference = std::move(path);
    std::vector<std::string> inside = TRY(AskedInside(places.reference, list, options.reference));
    places.asked = std::move(inside);
  }
  return places;
}

}  // namespace imgmill
