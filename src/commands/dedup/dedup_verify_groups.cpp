// Each group is taken apart by its keeper, then what is left by the best of that.
#include "dedup_verify_groups.h"

#include <algorithm>

#include "base/try.h"
#include "similarity/link_forest.h"

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
                const DistancesOf& distances, double most, const StopFlag& stop)
      : entries_(entries),
        rules_(rules),
        looker_(looker),
        distances_(distances),
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
    if (rules_.group_by == GroupBy::kComponent) return Link(left);
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

  Status MayGoOn() const {
    if (stop_.StopRequested())
      return Error{Stage::kReduce, Code::kInterrupted, "stopped while looking at groups again"};
    return {};
  }

  /// How near two are, where they are alike; nothing else. Those that were near and are refused are told, in
  /// the pose in which they differ least.
  /// @param known  their distances, where they were asked for before
  Result<std::optional<DuplicateMember>> Compare(const Ranked& keeper, const Ranked& other,
                                                 std::vector<PosedDistance> known = {}) {
    const std::optional<DuplicateMember> none;
    TRY(MayGoOn());
    if (!sides_.Allows(keeper.side, other.side)) return none;
    if (known.empty()) {
      std::vector<PosedDistance> asked = TRY(distances_(keeper.index, other.index));
      known = std::move(asked);
    }
    std::optional<std::pair<DuplicateMember, bool>> refused;  // whether they could be laid upon each other
    for (size_t i = 0; i < known.size() && (i == 0 || known[i].distance <= most_); ++i) {
      const LookVerdict verdict = TRY(looker_.Look(0, keeper.index, other.index, known[i].pose));
      const bool laid = verdict.kind == LookVerdict::Kind::kDiffers;
      const DuplicateMember member = {.index = other.index,
                                      .by_look = true,
                                      .distance = known[i].distance,
                                      .look = verdict.look,
                                      .pose = static_cast<uint32_t>(known[i].pose)};
      if (verdict.alike()) return std::optional(member);
      if (!verdict.refused() || known[i].distance > most_) continue;
      if (!refused || (laid && (!refused->second || member.look.difference < refused->first.look.difference)))
        refused = {member, laid};
    }
    if (refused) verified_.refused.Add({keeper.index, refused->first, refused->second});
    return none;
  }

  /// The best one takes what is its own, and leaves the rest.
  Status TakeApart(std::vector<Ranked>& left) {
    const Ranked keeper = left.front();
    std::vector<Ranked> rest;
    Begin();
    for (size_t i = 1; i < left.size(); ++i) {
      const Ranked& other = left[i];
      const std::optional<DuplicateMember> member = TRY(Compare(keeper, other));
      if (member && (rules_.group_by != GroupBy::kClique || TRY(JoinsClique(keeper, other, *member)))) {
        verified_.members.push_back(*member);
        NoteReason(keeper, other);
      } else {
        rest.push_back(other);
      }
    }
    left = std::move(rest);
    End(keeper);
    return {};
  }

  /// Whether one that is like the keeper is like all that it has taken: those that are the same count once.
  Result<bool> JoinsClique(const Ranked& keeper, const Ranked& other, const DuplicateMember& member) {
    const auto same = [](const DuplicateMember& m) {
      return m.look == SecondLook() && m.distance < 1e-6 && m.pose == 0;
    };
    WeakestPair weakest = {keeper.index, member};
    bool is_another = !same(member);
    for (size_t k = 0; k < kinds_.size() && is_another; ++k) {
      const std::optional<DuplicateMember> with = TRY(Compare(kinds_[k], other));
      if (!with) return false;
      if (WeakestPair::IsWeaker(*with, weakest.second)) weakest = {kinds_[k].index, *with};
      is_another = !same(*with);
    }
    if (is_another) kinds_.push_back(other);
    if (!weakest_ || WeakestPair::IsWeaker(weakest.second, weakest_->second)) weakest_ = weakest;
    return true;
  }

  /// Groups of all that chains of near and alike ones join.
  Status Link(const std::vector<Ranked>& ranked) {
    LinkForest<DuplicateMember> forest(ranked.size());
    constexpr uint32_t kBetweenStops = 4096;
    for (uint32_t i = 0; i < ranked.size() && !forest.whole(); ++i) {
      for (uint32_t j = i + 1; j < ranked.size(); ++j) {
        if ((j - i) % kBetweenStops == 1) TRY(MayGoOn());
        if (forest.Joined(i, j)) continue;
        TRY(MayGoOn());
        std::vector<PosedDistance> distances = TRY(distances_(ranked[i].index, ranked[j].index));
        if (distances.front().distance > most_) continue;
        const std::optional<DuplicateMember> member =
            TRY(Compare(ranked[i], ranked[j], std::move(distances)));
        if (member) forest.Join(i, j, *member);
      }
    }
    forest.ForEachTree([&](uint32_t root, const auto& links) {
      Begin();
      for (const auto& link : links) {
        DuplicateMember member = link.measure;
        member.index = ranked[link.to].index;
        if (link.from != root) member.via = ranked[link.from].index;
        verified_.members.push_back(member);
        NoteReason(ranked[root], ranked[link.to]);
      }
      End(ranked[root]);
    });
    return {};
  }

  void Begin() {
    first_ = verified_.members.size();
    last_reason_ = 0;
    kinds_.clear();
    weakest_.reset();
  }

  void NoteReason(const Ranked& keeper, const Ranked& other) {
    size_t place = 0;
    rules_.order.IsBetter(keeper.merit, other.merit, true, place);
    last_reason_ = std::max(last_reason_, place);
  }

  /// A group of the members since Begin, if there are any.
  void End(const Ranked& keeper) {
    DuplicateGroups::Group group{keeper.index, rules_.order.reason(last_reason_), first_,
                                 verified_.members.size() - first_};
    if (group.count == 0) return;
    if (weakest_) {
      group.pair = verified_.pairs.size();
      verified_.pairs.push_back(*weakest_);
    }
    const auto first = verified_.members.begin() + static_cast<std::ptrdiff_t>(group.first);
    std::sort(first, verified_.members.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    verified_.groups.push_back(group);
  }

  const DedupTable& entries_;
  const GroupRules& rules_;
  SecondLooker& looker_;
  const DistancesOf& distances_;
  const double most_;
  const StopFlag& stop_;
  PairSides sides_;
  DuplicateGroups verified_;
  // Of the group at hand:
  size_t first_ = 0;                    // of its members
  size_t last_reason_ = 0;              // of the keeper's order
  std::vector<Ranked> kinds_;           // of a clique's members, one of each that are the same
  std::optional<WeakestPair> weakest_;  // of a clique
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
                                     const DistancesOf& distances, double most, MemoryManager& memory,
                                     const StopFlag& stop) {
  size_t largest = 0;
  for (const DuplicateGroups::Group& group : found.groups) largest = std::max(largest, group.count + 1);
  const bool links = rules.group_by == GroupBy::kComponent;
  const Footprint linking = {links ? LinkForest<DuplicateMember>::Bytes(largest) : 0, 0};
  Lease lease = TRY(memory.Acquire(looker.Held(1) + linking, stop));
  looker.Prepare(1);
  GroupVerifier verifier(entries, rules, looker, distances, most, stop);
  for (const DuplicateGroups::Group& group : found.groups) TRY(verifier.Add(found, group));
  return verifier.Finish();
}

}  // namespace imgmill
