// Sums over the extensions that a listing has counted.
#include "unread_files.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

struct KindWords {
  UnreadKind kind;
  std::string_view one, many;
  std::string_view advice;
};

/// Files of the third kind are told only beside images: who has a folder of drawings knows that they are
/// none.
constexpr std::array<KindWords, 2> kKinds = {
    {{UnreadKind::kCameraRaw, "camera raw file", "camera raw files", "develop"},
     {UnreadKind::kPhotoshop, "Photoshop file", "Photoshop files", "export"}}};

std::string Sentence(const KindWords& words, const UnreadPictures& found) {
  const bool one = found.files == 1;
  return std::to_string(found.files) + " " + std::string(one ? words.one : words.many) + ", which " +
         (one ? "is" : "are") + " not read (" + std::string(words.advice) + (one ? " it" : " them") +
         " first): " + PrintablePath(found.first);
}

}  // namespace

std::vector<std::string> UnreadSentences(const IgnoredFiles& ignored) {
  std::vector<std::string> sentences;
  for (const KindWords& words : kKinds) {
    UnreadPictures found;
    for (const auto& [extension, pictures] : ignored.pictures()) {
      if (pictures.kind != words.kind) continue;
      if (found.files == 0 || pictures.first < found.first) found.first = pictures.first;
      found.files += pictures.files;
    }
    if (found.files > 0) sentences.push_back(Sentence(words, found));
  }
  return sentences;
}

std::string UnreadText(const IgnoredFiles& ignored) {
  uint64_t files = 0;
  std::vector<std::pair<uint64_t, std::string>> most;
  for (const auto& [extension, pictures] : ignored.pictures()) {
    files += pictures.files;
    most.emplace_back(pictures.files, extension);
  }
  std::ranges::stable_sort(most, [](const auto& one, const auto& other) { return one.first > other.first; });
  std::string text = Counted(files, "file") + " of kinds that imgmill does not read " +
                     (files == 1 ? "was" : "were") + " skipped: ";
  for (const auto& [count, extension] : most) {
    if (&count != &most.front().first) text += ", ";
    text += std::to_string(count) + " " + extension;
  }
  return text;
}

}  // namespace imgmill
