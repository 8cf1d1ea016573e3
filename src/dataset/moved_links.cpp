// Remembers links by the names of the files that they lead to.
#include "dataset/moved_links.h"

#include <unistd.h>

#include <cstdio>

#include "base/path_parts.h"
#include "dataset/link_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

void MovedLinks::AddLink(const std::string& path, const std::string& text, const std::string& target) {
  leading_to_[AbsoluteEntry(MovedLinkText(path, text))].push_back(target);
}

void MovedLinks::AddMove(const std::string& path, const std::string& target) {
  const auto found = leading_to_.find(path);
  if (found == leading_to_.end()) return;
  for (std::string& link : found->second) again_.emplace_back(std::move(link), target);
  leading_to_.erase(found);
}

void MovedLinks::LeadAgain() {
  for (const auto& [link, file] : again_) {
    if (LinkTextOf(link).empty()) continue;  // no longer a link: somebody else's
    const std::string temporary = TemporaryNameFor(link);
    if (::symlink(LinkTextTo(link, file).c_str(), temporary.c_str()) != 0) continue;
    if (::rename(temporary.c_str(), link.c_str()) != 0) ::unlink(temporary.c_str());
  }
  again_.clear();
}

}  // namespace imgmill
