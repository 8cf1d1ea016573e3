// Each group is taken apart by its keeper, then what is left by the best of that.
#include "dedup_verify_groups.h"

#include <algorithm>

#include "base/try.h"

namespace imgmill {
namespace {

struct Ranked {
  uint32_t index = 0;
  uint32_t side = 0;
  Merit merit;
};

class GroupVerifier {
 public:
  GroupVerifier(const DedupTable& entries, const GroupRules& rules, SecondLooker& looker,
                const std::function<Result<double>(uint32_t, uint32_t)>& distance, double most,
                const StopFlag& stop)
      : entries_(entries),
        rules_(rules),
        looker_(looker),
        distance_(distance),
        most_(most),
        stop_(stop),
        sides_(rules.scope) {}

  Status Add(const DuplicateGroups& all, const DuplicateGroups::Group& group) {
    const std::span<const DuplicateGroups::Member> members = all.MembersOf(group);
    if (!members.front().by_look) {  // nothing to look at: they are the same
      DuplicateGroups::Group same = group;
      same.first = verified_.members.size();
      verified_.members.insert(verified_.members.end(), members.begin(), members.end());
      verified_.groups.push_back(same);
      return {};
    }
    std::vector<Ranked> left;
    TRY(Rank(group.keeper, left));
    for (const DuplicateGroups::Member& member : members) TRY(Rank(member.index, left));
    std::sort(left.begin(), left.end(), [&](const Ranked& a, const Ranked& b) {
      size_t place = 0;
      return rules_.order.IsBetter(a.merit, b.merit, a.index < b.index, place);
    });
    while (left.size() > 1) TRY(TakeApart(left));
    return {};
  }

  DuplicateGroups Finish() {
    std::sort(verified_.groups.begin(), verified_.groups.end(),
              [](const auto& a, const auto& b) { return a.keeper < b.keeper; });
    verified_.refused.Settle(verified_.members);
    return std::move(verified_);
  }

 private:
  Status Rank(uint32_t index, std::vector<Ranked>& to) {
    const DedupEntry entry = TRY(entries_.At(index));
    to.push_back({index, sides_.SideOf(entry), MeritOf(entry)});
    return {};
  }

  /// The best one takes what is its own, and leaves the rest.
  Status TakeApart(std::vector<Ranked>& left) {
    const Ranked keeper = left.front();
    std::vector<Ranked> rest;
    DuplicateGroups::Group group{keeper.index, KeepReason::kPath, verified_.members.size(), 0};
    size_t last = 0;
    for (size_t i = 1; i < left.size(); ++i) {
      const Ranked& other = left[i];
      if (stop_.StopRequested())
        return Error{Stage::kReduce, Code::kInterrupted, "stopped while looking at groups again"};
      LookVerdict verdict;
      if (sides_.Allows(keeper.side, other.side)) {
        const LookVerdict looked = TRY(looker_.Look(0, keeper.index, other.index, 0));
        verdict = looked;
      }
      if (!verdict.alike()) rest.push_back(other);
      if (verdict.kind == LookVerdict::Kind::kNotLooked) continue;
      const double distance = TRY(distance_(keeper.index, other.index));
      const DuplicateGroups::Member member = {other.index, true, distance, verdict.look, 0};
      if (verdict.refused()) {
        if (distance <= most_)
          verified_.refused.Add({keeper.index, member, verdict.kind == LookVerdict::Kind::kDiffers});
        continue;
      }
      verified_.members.push_back(member);
      size_t place = 0;
      rules_.order.IsBetter(keeper.merit, other.merit, true, place);
      last = std::max(last, place);
    }
    left = std::move(rest);
    group.count = verified_.members.size() - group.first;
    if (group.count == 0) return {};
    group.reason = rules_.order.reason(last);
    const auto first = verified_.members.begin() + static_cast<std::ptrdiff_t>(group.first);
    std::sort(first, verified_.members.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    verified_.groups.push_back(group);
    return {};
  }

  const DedupTable& entries_;
  const GroupRules& rules_;
  SecondLooker& looker_;
  const std::function<Result<double>(uint32_t, uint32_t)>& distance_;
  const double most_;
  const StopFlag& stop_;
  PairSides sides_;
  DuplicateGroups verified_;
};

}  // namespace

std::vector<uint32_t> RowsByLook(const DuplicateGroups& groups) {
  std::vector<uint32_t> rows;
  for (const DuplicateGroups::Group& group : groups.groups) {
    const auto members = groups.MembersOf(group);
    if (!members.front().by_look) continue;
    rows.push_back(group.keeper);
    for (const DuplicateGroups::Member& member : members) rows.push_back(member.index);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

Result<DuplicateGroups> VerifyGroups(const DedupTable& entries, const GroupRules& rules,
                                     const DuplicateGroups& found, SecondLooker& looker,
                                     const std::function<Result<double>(uint32_t, uint32_t)>& distance,
                                     double most, MemoryManager& memory, const StopFlag& stop) {
  Lease lease = TRY(memory.Acquire(looker.Held(1), stop));
  looker.Prepare(1);
  GroupVerifier verifier(entries, rules, looker, distance, most, stop);
  for (const DuplicateGroups::Group& group : found.groups) TRY(verifier.Add(found, group));
  return verifier.Finish();
}

}  // namespace imgmill
