// What an image will hold: the formulas' sum, corrected by what images of its kind were seen to hold.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "imgmill/engine/operation.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// Formulas know how costs grow with an image's size, observation how high they start: each kind of image
/// (format, its variant, depth, bands) has a cost model of its own for each operation, and for those that
/// share a decode. The first image of a kind pays what libraries make once; the next two are worked on alone
/// and watched, so that the kind is known from then on. Not thread-safe: it is the feeder's.
class ItemCosts {
 public:
  /// `watch_all`: not only the first images of each kind, but every one is worked on alone and watched.
  ItemCosts(MemoryManager& memory, bool watch_all) : memory_(memory), watch_all_(watch_all) {}

  struct Estimate {
    Footprint need;                    ///< bytes to lease
    size_t formula = 0;                ///< what the formulas alone say
    std::shared_ptr<CostModel> model;  ///< learns what it came to
    bool alone = false;                ///< nothing else is to be at work meanwhile
  };

  /// `formula` is all that the item holds while these operations work on it.
  Estimate For(const Item& item, const Footprint& formula, const std::vector<Operation*>& operations);

 private:
  struct Kind {
    std::shared_ptr<CostModel> model;
    int seen = 0;
  };

  const std::string& NameOf(const Operation& operation);

  MemoryManager& memory_;
  const bool watch_all_;
  std::map<const Operation*, std::string> names_;
  std::map<std::string, Kind> kinds_;
};

}  // namespace imgmill
