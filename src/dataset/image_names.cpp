// Asks the table of formats for the extension, or for the first bytes.
#include "dataset/image_names.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <ranges>

#include "archive/file_part.h"
#include "base/path_parts.h"
#include "base/unique_fd.h"
#include "imgmill/base/image_format.h"

namespace imgmill {
namespace {

/// The first bytes; nothing where the file cannot be read.
std::optional<std::string> HeadOf(int folder, const std::string& path, size_t bytes) {
  // Not blocking: a link may lead to a pipe that nobody writes to.
  const UniqueFd file(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  std::optional<FilePart> member;
  if (!file.valid() && errno == ENOTDIR) member = FilePart::Open(path);
  if (!file.valid() && !member) return std::nullopt;
  std::string head(bytes, '\0');
  const ssize_t got =
      member ? member->Read(head.data(), head.size()) : ReadFull(file.get(), head.data(), head.size());
  if (got < 0) return std::nullopt;
  head.resize(static_cast<size_t>(got));
  return head;
}

bool StartsLikeOne(int folder, const std::string& path, bool videos) {
  const std::optional<std::string> head = HeadOf(folder, path, 16);
  if (!head) return true;
  const Signature signature = SignatureOf(*head);
  return !signature.pattern.empty() && (videos || signature.format != ImageFormat::kVideo);
}

/// Packets of MPEG-TS begin with a sync byte each; four bytes of time stand before those of a camera.
bool StartsLikeTransportStream(int folder, const std::string& path) {
  constexpr char kSync = 0x47;
  const std::optional<std::string> head = HeadOf(folder, path, 5);
  return !head || (!head->empty() && head->front() == kSync) || (head->size() == 5 && head->back() == kSync);
}

bool Has(const FormatFacts& facts, std::string_view extension) {
  return std::ranges::any_of(std::views::split(facts.extensions, ' '),
                             [&](auto each) { return std::ranges::equal(each, extension); });
}

}  // namespace

bool IsTaken(int folder, const std::string& path, bool videos) {
  const std::string_view name = NameOf(path);
  const std::string_view stem = StemOf(name);
  if (stem.size() == name.size()) return StartsLikeOne(folder, path, videos);
  std::string extension(name.substr(stem.size()));
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto* facts =
      std::ranges::find_if(kImageFormats, [&](const FormatFacts& each) { return Has(each, extension); });
  if (facts == std::end(kImageFormats)) return false;
  if (facts->format != ImageFormat::kVideo) return true;
  if (!videos) return false;
  return (extension != ".ts" && extension != ".mts") || StartsLikeTransportStream(folder, path);
}

}  // namespace imgmill
