// One map a field.
#include "text_counts.h"

#include <algorithm>

namespace imgmill {

void TextCounts::Add(const std::vector<std::string>& texts) {
  for (size_t i = 0; i < texts.size() && i < texts_.size(); ++i) {
    if (texts[i].empty()) continue;
    One& one = texts_[i];
    ++one.images;
    const auto found = one.counts.find(texts[i]);
    if (found != one.counts.end()) {
      ++found->second;
    } else if (one.counts.size() < kMostDifferent) {
      one.counts.emplace(texts[i], 1);
    }
  }
}

uint64_t TextCounts::Count(PhotoText of, const std::string& text) const {
  const auto found = Of(of).counts.find(text);
  return found == Of(of).counts.end() ? 0 : found->second;
}

std::vector<std::pair<std::string, uint64_t>> TextCounts::Most(PhotoText of, size_t number) const {
  std::vector<std::pair<std::string, uint64_t>> all(Of(of).counts.begin(), Of(of).counts.end());
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (all.size() > number) all.resize(number);
  return all;
}

}  // namespace imgmill
