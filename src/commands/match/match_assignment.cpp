// Deferred acceptance: an image lets go of a query when a better one asks.
#include "match_assignment.h"

#include <algorithm>
#include <numeric>

#include "base/try.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {
namespace {

/// How much longer lists become that were too short.
constexpr size_t kDeeper = 4;

/// Where a query stands.
struct Asking {
  uint32_t table = 0;  ///< of its list
  uint32_t row = 0;    ///< of that table
  uint32_t next = 0;   ///< that it asks
};

struct Held {
  uint32_t query = kNobody;
  float similarity = 0;
};

class Assignment {
 public:
  Assignment(size_t queries, size_t images) : asking_(queries), held_(images) {
    std::fill_n(asking_.data(), queries, Asking());
    std::fill_n(held_.data(), images, Held());
  }

  /// All of `pending` ask until each is held or at the end of its list.
  /// @return those at the end of one that may go on
  Result<std::vector<uint32_t>> Ask(std::vector<uint32_t> pending, const StopFlag& stop) {
    std::vector<uint32_t> at_end;
    std::reverse(pending.begin(), pending.end());
    while (!pending.empty()) {
      if (stop.StopRequested())
        return Error{Stage::kReduce, Code::kInterrupted, "stopped while assigning images to queries"};
      uint32_t query = pending.back();
      pending.pop_back();
      const std::vector<Neighbour> list = TRY(ListOf(query));
      Asking& asking = asking_[query];
      bool accepted = false;
      while (!accepted && asking.next < list.size()) {
        const Neighbour& wanted = list[asking.next++];
        Held& held = held_[wanted.id];
        accepted = held.query == kNobody || wanted.similarity > held.similarity ||
                   (wanted.similarity == held.similarity && query < held.query);
        if (!accepted) continue;
        if (held.query != kNobody) pending.push_back(held.query);
        held = {query, wanted.similarity};
      }
      if (!accepted && list.size() >= tables_[asking.table].full) at_end.push_back(query);
    }
    std::sort(at_end.begin(), at_end.end());
    return at_end;
  }

  /// Of these queries, in this order. @param full  the length of one that may go on
  void TakeLists(NeighbourTable lists, const std::vector<uint32_t>& queries, size_t full) {
    for (uint32_t row = 0; row < queries.size(); ++row) {
      asking_[queries[row]].table = static_cast<uint32_t>(tables_.size());
      asking_[queries[row]].row = row;
    }
    tables_.push_back({std::move(lists), full});
  }

  NeighbourTable Finish(size_t queries, size_t images) {
    PoolArray<Neighbour> got(queries);
    std::fill_n(got.data(), queries, Neighbour{kNobody, 0});
    for (uint32_t image = 0; image < images; ++image) {
      if (held_[image].query != kNobody) got[held_[image].query] = {image, held_[image].similarity};
    }
    NeighbourTable table;
    for (size_t query = 0; query < queries; ++query)
      table.Add(got[query].id == kNobody ? std::vector<Neighbour>() : std::vector<Neighbour>{got[query]});
    return table;
  }

 private:
  Result<std::vector<Neighbour>> ListOf(uint32_t query) const {
    return tables_[asking_[query].table].lists.At(asking_[query].row);
  }

  PoolArray<Asking> asking_;
  PoolArray<Held> held_;
  struct Lists {
    NeighbourTable lists;
    size_t full;
  };
  std::vector<Lists> tables_;
};

}  // namespace

Result<NeighbourTable> AssignUniquely(size_t queries, size_t images, size_t depth,
                                      const NearestOf& nearest_of, const StopFlag& stop) {
  Assignment assignment(queries, images);
  std::vector<uint32_t> pending(queries);
  std::iota(pending.begin(), pending.end(), 0u);
  depth = std::clamp<size_t>(images, 1, depth);
  while (!pending.empty()) {
    NeighbourTable lists = TRY(nearest_of(pending, depth));
    // With all images in its list, a query has nobody else to ask.
    assignment.TakeLists(std::move(lists), pending, depth < images ? depth : images + 1);
    std::vector<uint32_t> at_end = TRY(assignment.Ask(std::move(pending), stop));
    pending = std::move(at_end);
    depth = std::min(images, depth * kDeeper);
  }
  return assignment.Finish(queries, images);
}

size_t AssignmentBytes(size_t queries, size_t images) {
  return queries * (sizeof(Asking) + sizeof(Neighbour) + 2 * sizeof(uint32_t)) + images * sizeof(Held);
}

}  // namespace imgmill
