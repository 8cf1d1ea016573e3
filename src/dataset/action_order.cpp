// One look at each file of the plan; only links are remembered.
#include "dataset/action_order.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/try.h"
#include "dataset/link_text.h"

namespace imgmill {
namespace {

/// Links that are followed at most, as Linux does: some lead in a circle.
constexpr int kMostLinks = 40;

/// How many links stand in a row from `path` on; 0 if it is none.
int LinkDepth(std::string path) {
  int depth = 0;
  for (struct stat info{}; depth < kMostLinks && ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
       ++depth)
    path = MovedLinkText(path, LinkTextOf(path));
  return depth;
}

}  // namespace

Result<ActionOrder> ActionOrder::Of(const JournalFile& file, size_t first) {
  ActionOrder order(file, first);
  uint64_t number = 0;
  for (size_t id = first; id < file.size(); ++id) {
    if (file.is_sidecar(id)) continue;
    const Place place{id, number++};
    const FileAction action = TRY(file.ActionAt(id));
    if (action.adds()) continue;
    const int depth = LinkDepth(action.path);
    if (depth == 0) continue;
    order.links_.push_back({place, depth});
    order.link_ids_.push_back(id);
  }
  std::ranges::stable_sort(order.links_, std::ranges::greater(), &Link::depth);
  return order;
}

std::optional<ActionOrder::Place> ActionOrder::Next() {
  if (next_link_ < links_.size()) return links_[next_link_++].place;
  while (next_.id < file_.size()) {
    const size_t id = next_.id++;
    if (file_.is_sidecar(id)) continue;
    const Place place{id, next_.number++};
    if (!std::ranges::binary_search(link_ids_, id)) return place;
  }
  return std::nullopt;
}

}  // namespace imgmill
