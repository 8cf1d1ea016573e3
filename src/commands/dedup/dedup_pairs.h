// Which images may be duplicates of which, by where they lie.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "dedup_operation.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

enum class PairScope {
  kAll,
  kToReference,  ///< a keeper lies in the reference, a duplicate does not
  kAcross,       ///< they lie in different folders
  kWithin        ///< they lie in one folder
};

/// The side of each image, and whether a keeper may have a duplicate of another side.
class PairSides {
 public:
  explicit PairSides(PairScope scope) : scope_(scope) {}

  /// Whether all pairs are allowed, and no sides are needed.
  bool all() const { return scope_ == PairScope::kAll; }
  PairScope scope() const { return scope_; }

  /// To be asked of the entries in their order: a number for each folder, by the first part of the path that
  /// outputs would have; or whether it lies in the reference.
  uint32_t SideOf(const DedupEntry& entry);

  bool Allows(uint32_t keeper_side, uint32_t other_side) const {
    switch (scope_) {
      case PairScope::kAll:
        return true;
      case PairScope::kToReference:
        return keeper_side == 1 && other_side == 0;
      case PairScope::kAcross:
        return keeper_side != other_side;
      case PairScope::kWithin:
        return keeper_side == other_side;
    }
    return true;
  }

 private:
  PairScope scope_;
  std::map<std::string, uint32_t> folders_;
};

}  // namespace imgmill
