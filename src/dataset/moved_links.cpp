// Remembers links by the names of the files that they lead to.
#include "dataset/moved_links.h"

#include <unistd.h>

#include <cstdio>

#include "base/path_parts.h"
#include "dataset/link_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {

void MovedLinks::AddLink(size_t id, const std::string& path, const std::string& text,
                         const std::string& target) {
  const std::string now = MovedLinkText(path, text);
  leading_to_[AbsoluteEntry(now)].push_back({id, target, now, ""});
}

void MovedLinks::AddMove(const std::string& path, const std::string& target) {
  const auto found = leading_to_.find(path);
  if (found == leading_to_.end()) return;
  for (Led& link : found->second) again_.emplace_back(std::move(link), target);
  leading_to_.erase(found);
}

std::vector<MovedLinks::Led> MovedLinks::TakeLed() {
  std::vector<Led> links;
  for (auto& [link, file] : again_) {
    link.text = LinkTextTo(link.path, file);
    links.push_back(std::move(link));
  }
  again_.clear();
  return links;
}

void MovedLinks::Lead(const Led& link) {
  if (LinkTextOf(link.path) != link.now) return;
  const std::string temporary = TemporaryNameFor(link.path);
  if (::symlink(link.text.c_str(), temporary.c_str()) != 0) return;
  if (::rename(temporary.c_str(), link.path.c_str()) != 0) ::unlink(temporary.c_str());
}

}  // namespace imgmill
