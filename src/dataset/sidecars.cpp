// Two names an ending, and a look whether there is a file.
#include "imgmill/dataset/sidecars.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "dataset/folder_names.h"
#include "dataset/image_names.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

std::string Sidecar::Beside(const std::string& image) const {
  const std::string_view name = NameOf(image);
  const std::string_view base = whole_name ? name : StemOf(name);
  return image.substr(0, image.size() - name.size()).append(base).append(ending);
}

std::string_view EndingBehindStem(std::string_view image, std::string_view sidecar) {
  return NameOf(sidecar).substr(StemOf(NameOf(image)).size());
}

std::optional<std::string> SidecarFinder::Check(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    const std::string quoted = "\"" + PrintablePath(pattern) + "\"";
    const std::string_view ending = std::string_view(pattern).substr(pattern.empty() ? 0 : 1);
    const size_t dot = ending.rfind('.');
    if (!pattern.starts_with('*') || dot == std::string_view::npos || dot + 1 == ending.size() ||
        ending.find_first_of("*?[]/\\") != std::string_view::npos) {
      return "--sidecars takes patterns of one * and an ending, such as '*.txt', not " + quoted;
    }
    if (IsTaken(AT_FDCWD, "name" + std::string(ending.substr(dot)), /*videos=*/true))
      return "--sidecars: " + quoted + " names images or videos, which are judged by themselves";
  }
  return std::nullopt;
}

SidecarFinder::SidecarFinder(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    std::string ending = pattern.substr(1);
    if (std::find(endings_.begin(), endings_.end(), ending) == endings_.end())
      endings_.push_back(std::move(ending));
  }
  matched_ = std::vector<std::atomic<bool>>(endings_.size());
}

SidecarFinder::~SidecarFinder() = default;

std::vector<Sidecar> SidecarFinder::Of(const std::string& image) const {
  const std::string_view name = NameOf(image);
  const bool has_extension = StemOf(name).size() < name.size();
  std::vector<Sidecar> found;
  asked_ = true;
  for (size_t i = 0; i < endings_.size(); ++i) {
    const std::string& ending = endings_[i];
    for (const bool whole_name : {false, true}) {
      if (whole_name && !has_extension) continue;
      Sidecar sidecar{"", ending, whole_name};
      sidecar.path = sidecar.Beside(image);
      struct stat info {};
      if (::lstat(sidecar.path.c_str(), &info) != 0 && StatPath(sidecar.path, &info) != 0) continue;
      if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) continue;
      matched_[i] = true;
      // *.jpg.txt and *.txt name the same one beside a.jpg.
      const auto same = [&](const Sidecar& other) { return other.path == sidecar.path; };
      if (std::none_of(found.begin(), found.end(), same)) found.push_back(std::move(sidecar));
    }
  }
  return found;
}

std::vector<std::string> SidecarFinder::Unmatched() const {
  std::vector<std::string> patterns;
  for (size_t i = 0; asked_ && i < endings_.size(); ++i) {
    if (!matched_[i]) patterns.push_back("*" + endings_[i]);
  }
  return patterns;
}

bool SidecarFinder::Shares(const std::string& image, const Sidecar& sidecar) {
  std::string folder = ParentOf(image);
  if (folder != folder_) {
    Result<FolderNames> names = FolderNames::Read(folder, "", PathFilter({}, {}, /*videos=*/false));
    names_ = names ? std::make_unique<FolderNames>(*std::move(names)) : nullptr;
    folder_ = std::move(folder);
  }
  const std::string_view name = NameOf(image);
  return names_ == nullptr || names_->HasCalled(sidecar.whole_name ? name : StemOf(name), name);
}

}  // namespace imgmill
