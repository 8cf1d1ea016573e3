// Groups of near-duplicates: around one keeper each, of pairs that are all alike, or of all that chains lead
// to.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "imgmill/base/hash256.h"
#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/memory/pool_array.h"
#include "imgmill/similarity/cosine.h"

namespace imgmill {

/// What is grouped: a key of each item, such as its hash, and its rank (smaller is better, ties go to the
/// smaller index). Both are as long. It is given away, since a search no longer needs it once it begins.
template <typename Key>
struct RankedKeysOf {
  PoolArray<Key> keys;
  PoolArray<uint32_t> order;

  RankedKeysOf() = default;
  /// Of `n` items, to be filled in. @throws OutOfMemory
  explicit RankedKeysOf(size_t n) : keys(n), order(n) {}
  static constexpr size_t Bytes(size_t n) { return n * (sizeof(Key) + sizeof(uint32_t)); }
};
using RankedKeys = RankedKeysOf<uint64_t>;

/// What makes a group of items of which some pairs are alike. In each the best item is the keeper.
enum class GroupBy : uint8_t {
  kKeeper,    ///< every member is like the keeper
  kClique,    ///< every two members are alike
  kComponent  ///< from the keeper to every member leads a chain of which each is like the next
};

/// Keeper and members are indices into the caller's list.
/// @tparam Measure  of how near two items are: a Hamming distance, or a cosine.
template <typename Measure>
struct KeeperGroup {
  uint32_t keeper = 0;
  /// Stands for the keeper.
  static constexpr uint32_t kKeeper = UINT32_MAX;
  struct Member {
    uint32_t index = 0;
    Measure measure = {};    ///< between it and `via`
    uint32_t via = kKeeper;  ///< what it is like: the keeper, or of a component the next one on the way there
    auto operator<=>(const Member&) const = default;
  };
  std::vector<Member> members;  ///< without the keeper, by index
  struct Pair {
    uint32_t first = 0, second = 0;  ///< the better one first
    Measure measure = {};
    auto operator<=>(const Pair&) const = default;
  };
  /// Of a clique: two of which none are less alike; of equal ones those that were compared first. Else it is
  /// a member and its `via`.
  std::optional<Pair> weakest;
  auto operator<=>(const KeeperGroup&) const = default;
};
using HammingGroup = KeeperGroup<int>;   ///< by distance, in bits
using CosineGroup = KeeperGroup<float>;  ///< by cosine, at most 1

/// Whether an item may be in the group of another one; empty allows all. Asked by indices. For cliques and
/// components it has to be the same both ways, and to allow two items that it allows with a third.
using PairRule = std::function<bool(uint32_t keeper, uint32_t other)>;

/// Goes through the items best first: the best item not yet in a group becomes a keeper and takes every item
/// within `radius` of it that is not taken. So each member is within the radius of its keeper, never through
/// a chain. Groups of one are left out; the result is sorted by keeper index.
///
/// As cliques, a keeper takes of these, best first, those that are within `radius` of all that it has taken.
/// As components, all are in one group that chains of pairs within `radius` join. They are linked by the
/// spanning tree of Kruskal's algorithm, nearest pairs first, of equals those of the best items: so none of
/// its links is longer than it must be for the group to hold together.
///
/// Pairs are never stored: only keepers ask for their neighbours, equal hashes are treated as one, and what
/// is taken leaves the search. A million hashes of which 100,000 are equal cost no more than a million.
/// Memory: GroupByHammingBytes() from the current pool, and 12 bytes an item in the result.
/// @tparam Hash  of what follows, too: uint64_t or Hash256
/// @param radius  at most as many bits as a hash has
/// @param allows  with it, equal hashes are not treated as one.
/// @return kInterrupted when `stop` asked for it.
/// @throws OutOfMemory
template <typename Hash>
Result<std::vector<HammingGroup>> GroupByHamming(RankedKeysOf<Hash> hashes, int radius, int threads,
                                                 const StopFlag& stop, const PairRule& allows = {},
                                                 GroupBy by = GroupBy::kKeeper);

/// What GroupByHamming takes from the current pool at most, its input included.
template <typename Hash = uint64_t>
size_t GroupByHammingBytes(size_t n, int radius, int threads, GroupBy by = GroupBy::kKeeper);

/// GroupByHamming's groups by two plain loops. Slow, but obviously right: its oracle.
std::vector<HammingGroup> GroupByHammingScalar(std::span<const uint64_t> hashes,
                                               std::span<const uint32_t> order, int radius);
std::vector<HammingGroup> GroupByHammingScalar(std::span<const Hash256> hashes,
                                               std::span<const uint32_t> order, int radius);

/// Hashes of each item in several poses, one item after another; the first of each is its hash, and others
/// are compared with that. Without any, hashes are compared as they are.
template <typename Hash>
struct PosedHashesOf {
  size_t poses = 0;  ///< of each item; at most 8
  PoolArray<Hash> hashes;

  PosedHashesOf() = default;
  /// Of `n` items, to be filled in. @throws OutOfMemory
  PosedHashesOf(size_t n, size_t poses_of_each) : poses(poses_of_each), hashes(n * poses_of_each) {}
  std::span<const Hash> of(size_t item) const { return hashes.span().subspan(item * poses, poses); }
  static constexpr size_t Bytes(size_t n, size_t poses) { return n * poses * sizeof(Hash); }
};
using PosedHashes = PosedHashesOf<uint64_t>;

/// Calls `visit` once with each item that has another one within `radius`, or that is within the radius of
/// another one's pose, in ascending order; `counts` if any of its pairs does.
/// @param differs  of the pairs within the radius, those that count. Asked by all threads at once.
/// Memory: VerifiedGroupingBytes(). @return kInterrupted when `stop` asked for it. @throws OutOfMemory
Status WithNeighbours(std::span<const uint64_t> hashes, const PosedHashes& posed, int radius,
                      const std::function<bool(uint32_t item, uint32_t other)>& differs, int threads,
                      const StopFlag& stop, const std::function<void(uint32_t item, bool counts)>& visit);
Status WithNeighbours(std::span<const Hash256> hashes, const PosedHashesOf<Hash256>& posed, int radius,
                      const std::function<bool(uint32_t item, uint32_t other)>& differs, int threads,
                      const StopFlag& stop, const std::function<void(uint32_t item, bool counts)>& visit);

/// What a second look at two items found.
struct SecondLook {
  double difference = 0;  ///< 0 for equal ones
  /// The box of the keeper that the other one shows, in parts of its width and height.
  float left = 0, top = 0, right = 1, bottom = 1;
  /// PictureMatcher's ColourDifference, and its ChangedThings or ChangedStrokes, whichever is more; below 0
  /// where nobody looked.
  double colours = -1, changed = -1;
  auto operator<=>(const SecondLook&) const = default;
};
/// What a second look says of a pair.
struct LookVerdict {
  enum class Kind : uint8_t {
    kNotLooked,  ///< nobody can tell, or the pair is none that counts
    kNotLaid,    ///< they cannot be compared: one does not show what the other does
    kDiffers,    ///< by more than duplicates may
    kAlike
  };
  Kind kind = Kind::kNotLooked;
  SecondLook look;  ///< of kDiffers and kAlike

  bool alike() const { return kind == Kind::kAlike; }
  bool refused() const { return kind == Kind::kDiffers || kind == Kind::kNotLaid; }
};
/// Takes a closer look at two items that have near hashes. Of two with equal hashes, SecondLook() says that
/// they are the same: whatever is alike to one is alike to the other.
/// @param pose  of the keeper, whose hash is near; 0 without poses
/// @param thread  whose turn it is, from 0: two with one number never run at once.
using Verify = std::function<Result<LookVerdict>(int thread, uint32_t keeper, uint32_t other, size_t pose)>;

/// How near a member is to its keeper.
struct VerifiedMeasure {
  int distance = 0;  ///< of the hashes, in bits
  uint32_t pose = 0;
  SecondLook look;
  auto operator<=>(const VerifiedMeasure&) const = default;
};
using VerifiedGroup = KeeperGroup<VerifiedMeasure>;

/// A pair that is near by hash and that the second look refused, in the pose in which it differs least.
struct RefusedPair {
  uint32_t keeper = 0, other = 0;
  bool laid = false;  ///< else they could not be compared, and there is no look
  VerifiedMeasure measure;
};
/// Told of one pair after the other, on one thread.
using OnRefused = std::function<void(const RefusedPair&)>;

/// Groups around keepers as GroupByHamming makes them, of what `verify` says too: an item that is not taken
/// is a keeper's if it is within `radius` of one of its poses and verified; of several poses the nearest that
/// is verified counts. Neighbours of many items are looked for at once, and `verify` is asked about pairs of
/// many keepers at once, where none of these may be taken by another of them; the groups are those of one
/// after the other. Cliques are made as by GroupByHamming, of pairs that are verified, too; of two items the
/// better one is asked about as the keeper. For components a pair is verified only if nothing joins the two
/// before: best first, each item is linked to those behind it, the best first.
/// @param refused  told of what keepers would have taken by hash; the same pairs in the same order whatever
///   the threads. May be empty.
/// @return kInterrupted when `stop` asked for it; what `verify` complained about.
/// @throws OutOfMemory
Result<std::vector<VerifiedGroup>> GroupVerified(RankedKeys hashes, const PosedHashes& posed, int radius,
                                                 const Verify& verify, int threads, const StopFlag& stop,
                                                 const OnRefused& refused = {},
                                                 GroupBy by = GroupBy::kKeeper);
Result<std::vector<VerifiedGroup>> GroupVerified(RankedKeysOf<Hash256> hashes,
                                                 const PosedHashesOf<Hash256>& posed, int radius,
                                                 const Verify& verify, int threads, const StopFlag& stop,
                                                 const OnRefused& refused = {},
                                                 GroupBy by = GroupBy::kKeeper);

/// What GroupVerified takes from the current pool at most, its input included.
template <typename Hash = uint64_t>
size_t VerifiedGroupingBytes(size_t n, size_t poses, int radius, int threads, GroupBy by = GroupBy::kKeeper);

/// Groups around keepers as GroupByHamming makes them, by cosine: the best item not yet in a group takes
/// every item whose cosine with it is at least `least` and that is not taken.
///
/// A block of candidates goes through the rows that are left, again and again; equal rows are one. Each pair
/// is compared once at most. Memory: GroupByCosineBytes() from the current pool, SearchWindowBytes() mapped,
/// and 12 bytes an item in the result. Cliques and components as by GroupByHamming, which takes as much.
/// @param items  the keys are rows.
/// @return kInterrupted when `stop` asked for it; what `rows` complained about.
/// @throws OutOfMemory
Result<std::vector<CosineGroup>> GroupByCosine(const VectorRows& rows, RankedKeys items, float least,
                                               int threads, const StopFlag& stop, const PairRule& allows = {},
                                               GroupBy by = GroupBy::kKeeper);

/// What GroupByCosine takes from the current pool at most, its input included.
size_t GroupByCosineBytes(size_t n, int dimension, int threads, GroupBy by = GroupBy::kKeeper);

/// GroupByCosine's groups by two plain loops over vectors in memory, where item i's is the i-th: its oracle.
std::vector<CosineGroup> GroupByCosineScalar(std::span<const float> vectors, int dimension,
                                             std::span<const uint32_t> order, float least);

}  // namespace imgmill
