// Folders by the first part of a path.
#include "dedup_pairs.h"

namespace imgmill {

uint32_t PairSides::SideOf(const DedupEntry& entry) {
  if (scope_ == PairScope::kAll) return 0;
  if (scope_ == PairScope::kToReference) return entry.in_reference ? 1 : 0;
  const std::string& path = entry.file.relative;
  const size_t slash = path.find('/');
  const std::string folder = slash == std::string::npos ? std::string() : path.substr(0, slash);
  return folders_.emplace(folder, static_cast<uint32_t>(folders_.size())).first->second;
}

}  // namespace imgmill
