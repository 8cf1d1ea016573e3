// Sets are known by the names of their files' kinds, which end in the numbers of their poses.
#include "known_poses.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "commands/pack/packed_fact.h"
#include "vector_kinds.h"

namespace imgmill {

Result<KnownPoses> KnownPoses::Open(Catalog& catalog, const Embedder& embedder, bool allow_truncated) {
  KnownPoses known;
  known.catalog_ = &catalog;
  if (catalog.folder().empty() || embedder.poses().empty()) return known;
  const std::string own = embedder.PosedKind(), begin = own.substr(0, own.rfind(' ') + 1);
  for (const auto& [kind, dimension] : VectorFile::KindsIn(catalog.folder())) {
    if (kind == own || !kind.starts_with(begin)) continue;
    Set set;
    for (const char digit : kind.substr(begin.size())) set.poses.push_back(digit - '0');
    set.fact = VectorFact(kind, allow_truncated);
    std::unique_ptr<VectorFile> file = TRY(VectorFile::Open(catalog.folder(), kind, 0));
    set.file = std::move(file);
    if (set.file) known.sets_.push_back(std::move(set));
  }
  return known;
}

Result<std::vector<int>> KnownPoses::Find(const ContentDigest& content, std::span<const int> poses,
                                          std::span<float> vectors) const {
  std::vector<int> missing(poses.begin(), poses.end());
  const size_t dimension = vectors.size() / poses.size();
  for (const Set& set : sets_) {
    VectorFile::Place place;
    const auto wanted = [&](int pose) { return std::ranges::count(missing, pose) > 0; };
    if (std::ranges::none_of(set.poses, wanted) || !Unpack(catalog_->FindFact(content, set.fact), place))
      continue;
    std::vector<float> row(static_cast<size_t>(set.file->dimension()));
    if (row.size() != set.poses.size() * dimension) continue;
    const Status read = set.file->Read(place, row);
    // A power cut may have kept the fact and lost the vector.
    if (!read && read.error().code != Code::kMalformed) return read.error();
    for (size_t i = 0; read && i < set.poses.size(); ++i) {
      const auto found = std::ranges::find(poses, set.poses[i]);
      if (found == poses.end()) continue;
      std::copy_n(row.begin() + static_cast<std::ptrdiff_t>(i * dimension), dimension,
                  vectors.begin() + (found - poses.begin()) * static_cast<std::ptrdiff_t>(dimension));
      std::erase(missing, set.poses[i]);
    }
  }
  return missing;
}

}  // namespace imgmill
