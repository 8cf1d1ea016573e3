// How many partners went with the images of an act, for its summary: side-cars are counted apart.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/dataset/journal.h"
#include "imgmill/memory/memory_manager.h"

namespace imgmill {

/// Of the files that go with images, which are partners: an image's side-cars may lie in the same folder.
/// 8 bytes for each partner, and as many again for room to grow, all of them leased.
class PartnerCount {
 public:
  PartnerCount(MemoryManager& memory, const StopFlag& stop) : memory_(memory), stop_(stop) {}

  /// kTooLarge where so many do not fit the budget.
  Status Plan(const FileAction& partner) {
    if (planned_.size() == planned_.capacity()) TRY(Grow());
    planned_.push_back(HashOf(partner));
    return {};
  }
  /// Once all are planned.
  void EndPlan() { std::ranges::sort(planned_); }
  /// Of an action that was done.
  void Add(const FileAction& action) {
    if (action.sidecar && std::ranges::binary_search(planned_, HashOf(action))) ++count_;
  }
  uint64_t count() const { return count_; }

 private:
  Status Grow() {
    const size_t room = std::max<size_t>(1024, 2 * planned_.capacity());
    // Given back first: where no lease is out, what fits the budget is granted at once. None is while actions
    // are planned, which is when all images are done and groups are found: no other thread asks for memory,
    // and what a run leases from its beginning to its end (pack, embed --import) shares no pass with others.
    lease_.Release();
    lease_ = TRY(memory_.Acquire({0, (planned_.capacity() + room) * sizeof(size_t)}, stop_));
    planned_.reserve(room);
    return {};
  }
  static size_t HashOf(const FileAction& action) {
    return std::hash<std::string>()(AbsoluteEntry(action.path));
  }

  MemoryManager& memory_;
  const StopFlag& stop_;
  Lease lease_;
  std::vector<size_t> planned_;
  uint64_t count_ = 0;
};

}  // namespace imgmill
