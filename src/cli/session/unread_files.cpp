// A walk over names, which nobody waits for where there were images.
#include "unread_files.h"

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

struct Found {
  uint64_t files = 0;
  std::string first;
};

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
    if (kKinds[i].extensions.find(" " + extension + " ") == std::string_view::npos) continue;
    if (found[i].files++ == 0 || path < found[i].first) found[i].first = path;
  }
}

}  // namespace

std::vector<std::string> FindUnreadPictures(const ListOptions& list) {
  std::array<Found, kKinds.size()> found;
  const PathFilter filter(list.include, list.exclude, /*videos=*/true);
  for (const std::string& folder : list.paths) {
    std::error_code none;
    fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, none);
    for (; !none && at != fs::recursive_directory_iterator(); at.increment(none)) {
      if (list.stop != nullptr && list.stop->StopRequested()) return {};
      const std::string relative = at->path().lexically_relative(folder).string();
      const bool hidden = at->path().filename().string().starts_with('.') || !filter.Enters(relative);
      if (hidden || !list.recursive) at.disable_recursion_pending();
      if (!hidden && !at->is_directory(none) && filter.Takes(relative))
        Note(WithoutRedundancy(at->path().string()), found);
    }
  }
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

}  // namespace imgmill
