// Rows of a set are told by the prefixes of their outputs.
#include "set_in_place.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/try.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

std::string_view BehindFolder(std::string_view path) {
  return path.substr(path.find('/') + 1);
}

/// Of several sides also one that is not asked for now: its folder is another, and the rest as that of all.
bool BelongsTo(const std::string& relative, const SetPrefixes& prefixes) {
  if (relative.ends_with('/')) return false;
  return IsOfSides(relative, prefixes) ||
         (prefixes.size() > 1 && BehindFolder(relative).starts_with(BehindFolder(prefixes.front())));
}

}  // namespace

std::string SetName(const SetPrefixes& prefixes) {
  return prefixes.front() + "/";
}

bool IsOfSides(const std::string& relative, const SetPrefixes& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& each) { return relative.starts_with(each); });
}

Result<SetInPlace> LookAtSet(OutputFolder& folder, const WorkKey& set_key, const SetPrefixes& prefixes) {
  SetInPlace set;
  const auto look = [&](const std::string& output, const WorkRow& row) {
    if (!BelongsTo(output, prefixes)) return true;
    set.rows.push_back({{set_key.source, set_key.content, set_key.fingerprint, output}, row});
    if (folder.Holds(output, row)) set.in_place.push_back(output);
    return true;
  };
  TRY(folder.catalog().ForEachWork(set_key.source, set_key.content, set_key.fingerprint, look));
  return set;
}

std::vector<std::string> InPlaceOrMoved(const OutputFolder& folder, const SetInPlace& set) {
  std::vector<std::string> names;
  for (const auto& [key, row] : set.rows) {
    const bool there = std::binary_search(set.in_place.begin(), set.in_place.end(), key.output);
    if (there || folder.WasMoved(key.output, row)) names.push_back(key.output);
  }
  return names;
}

Status RemoveInPlace(OutputFolder& folder, const SetInPlace& set,
                     const std::function<bool(const std::string&)>& stays) {
  std::vector<std::pair<WorkKey, WorkRow>> gone;
  for (const auto& [key, row] : set.rows) {
    if (stays(key.output)) continue;
    const std::string path = folder.PathOf(key.output);
    if (std::binary_search(set.in_place.begin(), set.in_place.end(), key.output)) ::unlink(path.c_str());
    if (row.state != WorkRow::State::kDone || Exists(path)) continue;  // or changed by somebody
    gone.emplace_back(key, row);
    gone.back().second.state = WorkRow::State::kIntent;
  }
  return gone.empty() ? Status{} : folder.catalog().PutWork(gone);
}

bool IsOfOtherPartners(OutputFolder& folder, const Item& item, const WorkKey& key) {
  if (key.content == item.WorkContent()) return false;
  const std::optional<std::string> main = folder.catalog().FindFact(key.content, kMainContentFact);
  if (!main) return !item.partners.empty();
  const auto& own = item.main.content.bytes;
  return std::equal(main->begin(), main->end(), own.begin(), own.end(),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

}  // namespace imgmill
