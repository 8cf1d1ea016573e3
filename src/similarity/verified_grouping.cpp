// Keepers take what is near them by hash and passes a second look.
#include <algorithm>

#include "base/try.h"
#include "imgmill/similarity/grouping.h"
#include "imgmill/similarity/hamming.h"
#include "similarity/hamming_index.h"

namespace imgmill {
namespace {

Status CheckStop(const StopFlag& stop) {
  if (!stop.StopRequested()) return {};
  return Error{Stage::kReduce, Code::kInterrupted, "stopped while grouping hashes"};
}

}  // namespace

Status WithNeighbours(std::span<const uint64_t> hashes, int radius, const StopFlag& stop,
                      const std::function<void(uint32_t item)>& visit) {
  const HammingIndex index(hashes, radius);
  for (uint32_t item = 0; item < hashes.size(); ++item) {
    TRY(CheckStop(stop));
    bool found = false;
    index.Query(hashes[item], [&](uint32_t other, int) {
      found = other != item;
      return !found;
    });
    if (found) visit(item);
  }
  return {};
}

Result<std::vector<VerifiedGroup>> GroupVerified(RankedKeys hashes, int radius, const Verify& verify,
                                                 const StopFlag& stop) {
  const size_t count = hashes.keys.size();
  const HammingIndex index(hashes.keys.span(), radius);
  PoolArray<uint32_t> best_first(count), near(count);
  PoolArray<bool> taken(count);
  taken.Fill(false);
  for (uint32_t i = 0; i < count; ++i) best_first[i] = i;
  std::sort(best_first.begin(), best_first.end(), [&](uint32_t a, uint32_t b) {
    return hashes.order[a] != hashes.order[b] ? hashes.order[a] < hashes.order[b] : a < b;
  });
  std::vector<VerifiedGroup> groups;
  for (const uint32_t keeper : best_first) {
    if (taken[keeper]) continue;
    taken[keeper] = true;
    size_t found = 0;
    index.Query(hashes.keys[keeper], [&](uint32_t other, int) {
      if (!taken[other]) near[found++] = other;
      return true;
    });
    std::sort(near.begin(), near.begin() + found);
    VerifiedGroup group{keeper, {}};
    for (size_t i = 0; i < found; ++i) {
      TRY(CheckStop(stop));
      const std::optional<double> distance = TRY(verify(keeper, near[i]));
      if (!distance) continue;
      taken[near[i]] = true;
      group.members.push_back({near[i], *distance});
    }
    if (!group.members.empty()) groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

size_t VerifiedGroupingBytes(size_t n, int radius) {
  return RankedKeys::Bytes(n) + HammingIndexBytes(n, radius) + n * (2 * sizeof(uint32_t) + sizeof(bool));
}

}  // namespace imgmill
