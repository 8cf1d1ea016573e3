// Items of equal keys as one, best first, and which of them have been taken.
#pragma once

#include <cstdint>
#include <span>

#include "imgmill/base/hash256.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Items with equal keys (one hash, one row of vectors) share their fate, so a search knows them as one
/// class. Classes are numbered best first.
/// @tparam Key  uint64_t or Hash256
template <typename Key>
class ItemClasses {
 public:
  /// @param keys   of the items.
  /// @param order  each item's rank, smaller is better, ties go to the smaller index; as long as `keys`.
  /// @param apart  each item is a class of its own, whatever its key.
  /// @throws OutOfMemory
  ItemClasses(std::span<const Key> keys, std::span<const uint32_t> order, bool apart = false);

  /// What `n` items take of the current pool at most.
  static size_t Bytes(size_t n) { return n * (sizeof(uint32_t) + sizeof(Class) + 1); }

  uint32_t count() const { return static_cast<uint32_t>(classes_.size()); }
  const Key& key(uint32_t id) const { return classes_[id].key; }
  /// Its items, best first.
  std::span<const uint32_t> items(uint32_t id) const {
    return items_.span().subspan(classes_[id].first, classes_[id].last - classes_[id].first);
  }

  bool taken(uint32_t id) const { return taken_[id] != 0; }
  /// How many are not taken.
  size_t left() const { return left_; }
  /// Of one that was not taken.
  void Take(uint32_t id) {
    taken_[id] = 1;
    --left_;
  }

 private:
  struct Class {
    Key key = {};
    uint32_t first = 0;  // its items are items_[first] .. items_[last - 1], best first
    uint32_t last = 0;
  };
  PoolArray<uint32_t> items_;  // by key, best first among equals
  PoolArray<Class> classes_;   // best first
  PoolArray<uint8_t> taken_;   // by class
  size_t left_ = 0;
};
using RowClasses = ItemClasses<uint64_t>;  ///< by rows of vectors

}  // namespace imgmill
