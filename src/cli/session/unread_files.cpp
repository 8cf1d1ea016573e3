// A walk over names, taken only where a listing has passed files over.
#include "unread_files.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/path_parts.h"
#include "dataset/path_glob.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {
namespace {

namespace fs = std::filesystem;

struct UnreadKind {
  std::string_view one, many;
  std::string_view advice;
  std::string_view extensions;  ///< each with a space on both sides
};

constexpr std::array<UnreadKind, 2> kKinds = {
    {{"camera raw file", "camera raw files", "develop",
      " .3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .kdc .mef .mrw .nef .nrw .orf .pef .raf .rw2 .rwl "
      ".sr2 .srf .srw .x3f "},
     {"Photoshop file", "Photoshop files", "export", " .psb .psd "}}};

/// Formats of other programs: pictures that a folder of images may hold beside what is read.
constexpr std::string_view kOthers =
    " .ai .bpg .cdr .clip .dcm .dpx .emf .eps .fits .flif .icns .indd .jng .jxr .kra .ora .pcx .pict .svg "
    ".svgz .wdp .wmf .xcf ";

struct Found {
  uint64_t files = 0;
  std::string first;
};

bool Lists(std::string_view extensions, const std::string& extension) {
  return extensions.find(" " + extension + " ") != std::string_view::npos;
}

std::string LoweredExtension(std::string_view name) {
  std::string extension(name.substr(StemOf(name).size()));
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

void Note(const std::string& path, std::array<Found, kKinds.size()>& found) {
  const std::string extension = LoweredExtension(NameOf(path));
  if (extension.empty()) return;
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (!Lists(kKinds[i].extensions, extension)) continue;
    if (found[i].files++ == 0 || path < found[i].first) found[i].first = path;
  }
}

/// Tells of each file in the folders that are searched, but for hidden ones and what patterns keep out.
template <typename Each>
void ForEachFileBelow(const ListOptions& list, const Each& each) {
  const PathFilter filter(list.include, list.exclude, /*videos=*/true);
  for (const std::string& folder : list.paths) {
    std::error_code none;
    fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, none);
    for (; !none && at != fs::recursive_directory_iterator(); at.increment(none)) {
      if (list.stop != nullptr && list.stop->StopRequested()) return;
      const std::string relative = at->path().lexically_relative(folder).string();
      const bool hidden = at->path().filename().string().starts_with('.') || !filter.Enters(relative);
      if (hidden || !list.recursive) at.disable_recursion_pending();
      if (!hidden && !at->is_directory(none) && filter.Takes(relative))
        each(WithoutRedundancy(at->path().string()));
    }
  }
}

}  // namespace

std::vector<std::string> FindUnreadPictures(const ListOptions& list) {
  std::array<Found, kKinds.size()> found;
  ForEachFileBelow(list, [&](const std::string& path) { Note(path, found); });
  std::vector<std::string> told;
  for (size_t i = 0; i < kKinds.size(); ++i) {
    const auto& [files, first] = found[i];
    if (files == 0) continue;
    told.push_back(std::to_string(files) + " " + std::string(files == 1 ? kKinds[i].one : kKinds[i].many) +
                   ", which " + (files == 1 ? "is" : "are") + " not read (" + std::string(kKinds[i].advice) +
                   (files == 1 ? " it" : " them") + " first): " + PrintablePath(first));
  }
  return told;
}

std::map<std::string, uint64_t> CountUnreadPictures(const ListOptions& list) {
  std::map<std::string, uint64_t> counts;
  ForEachFileBelow(list, [&](const std::string& path) {
    const std::string extension = LoweredExtension(NameOf(path));
    if (extension.empty()) return;
    const bool known = Lists(kOthers, extension) || std::ranges::any_of(kKinds, [&](const UnreadKind& kind) {
                         return Lists(kind.extensions, extension);
                       });
    if (known) ++counts[extension];
  });
  if (list.stop != nullptr && list.stop->StopRequested()) counts.clear();  // of a part nobody asked
  return counts;
}

std::string UnreadText(const std::map<std::string, uint64_t>& counts) {
  uint64_t files = 0;
  std::vector<std::pair<uint64_t, std::string>> most;
  for (const auto& [extension, count] : counts) {
    files += count;
    most.emplace_back(count, extension);
  }
  std::ranges::stable_sort(most, [](const auto& one, const auto& other) { return one.first > other.first; });
  std::string text = std::to_string(files) + (files == 1 ? " file" : " files") +
                     " of kinds that imgmill does not read " + (files == 1 ? "was" : "were") + " skipped: ";
  for (const auto& [count, extension] : most) {
    if (&count != &most.front().first) text += ", ";
    text += std::to_string(count) + " " + extension;
  }
  return text;
}

}  // namespace imgmill
