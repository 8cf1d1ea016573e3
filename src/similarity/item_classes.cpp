#include "similarity/item_classes.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace imgmill {

template <typename Key>
ItemClasses<Key>::ItemClasses(std::span<const Key> keys, std::span<const uint32_t> order, bool apart)
    : items_(keys.size()) {
  assert(keys.size() == order.size());
  std::iota(items_.begin(), items_.end(), uint32_t{0});
  const auto better = [&](uint32_t a, uint32_t b) {
    return order[a] != order[b] ? order[a] < order[b] : a < b;
  };
  std::sort(items_.begin(), items_.end(),
            [&](uint32_t a, uint32_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : better(a, b); });
  const auto starts_class = [&](size_t i) {
    return apart || i == 0 || keys[items_[i]] != keys[items_[i - 1]];
  };
  for (size_t i = 0; i < items_.size(); ++i) left_ += starts_class(i) ? 1 : 0;
  classes_ = PoolArray<Class>(left_);
  taken_ = PoolArray<uint8_t>(left_);
  taken_.Fill(0);
  size_t c = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (starts_class(i)) classes_[c++] = {keys[items_[i]], static_cast<uint32_t>(i), 0};
    classes_[c - 1].last = static_cast<uint32_t>(i + 1);
  }
  std::sort(classes_.begin(), classes_.end(),
            [&](const Class& a, const Class& b) { return better(items_[a.first], items_[b.first]); });
}

template class ItemClasses<uint64_t>;
template class ItemClasses<Hash256>;

}  // namespace imgmill
