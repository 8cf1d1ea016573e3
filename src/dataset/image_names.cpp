// Asks the table of formats for the extension, or for the first bytes.
#include "dataset/image_names.h"

#include <fcntl.h>

#include <algorithm>
#include <ranges>

#include "base/path_parts.h"
#include "base/unique_fd.h"
#include "imgmill/base/image_format.h"

namespace imgmill {
namespace {

bool StartsLikeAnImage(int folder, const std::string& path) {
  // Not blocking: a link may lead to a pipe that nobody writes to.
  const UniqueFd file(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.valid()) return true;
  char head[16] = {};
  const ssize_t got = ReadFull(file.get(), head, sizeof head);
  if (got < 0) return true;
  return !SignatureOf({head, static_cast<size_t>(got)}).pattern.empty();
}

}  // namespace

bool IsImageFile(int folder, const std::string& path) {
  const std::string_view name = NameOf(path);
  const std::string_view stem = StemOf(name);
  if (stem.size() == name.size()) return StartsLikeAnImage(folder, path);
  std::string extension(name.substr(stem.size()));
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return std::ranges::any_of(kImageFormats, [&](const FormatFacts& facts) {
    return std::ranges::any_of(std::views::split(facts.extensions, ' '),
                               [&](auto each) { return std::ranges::equal(each, extension); });
  });
}

}  // namespace imgmill
