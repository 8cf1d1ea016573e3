// What earlier runs have made of an item: whole, half, edited since, or of another choice.
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "archive/archive_path.h"
#include "base/try.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/engine/output_set.h"
#include "set_in_place.h"

namespace imgmill {
namespace {

/// Whether a source of the same content, or one that gave the same file, has it for its own, too.
bool HasOtherSource(OutputFolder& folder, const Item& item, const std::string& name) {
  const std::vector<FoundWork> all = folder.catalog().FindOutputs(name);
  return std::any_of(all.begin(), all.end(), [&](const FoundWork& each) {
    return each.key.source != item.main.absolute && !IsAction(each.key.fingerprint) &&
           !IsGone(each.key.source);
  });
}

}  // namespace

Result<EarlierChoice> FindEarlierChoice(OutputFolder& folder, const Item& item, const SetPrefixes& prefixes,
                                        const std::vector<std::string>& own, bool remove) {
  EarlierChoice earlier;
  const auto stays = [&](const std::string& name) {
    return std::binary_search(own.begin(), own.end(), name) || HasOtherSource(folder, item, name);
  };
  std::set<std::string> seen;
  for (const FoundWork& found : folder.catalog().FindOutputs(SetName(prefixes))) {
    const bool other = !folder.IsOfTheseOptions(found.key) || IsOfOtherPartners(folder, item, found.key);
    if (!other || !folder.IsOfItem(item, found.key)) continue;
    const SetInPlace set = TRY(LookAtSet(folder, found.key, prefixes));
    for (const std::string& name : set.in_place) {
      if (stays(name) || !seen.insert(name).second) continue;
      if (earlier.files++ == 0) earlier.example = name;
      if (!IsOfSides(name, prefixes)) earlier.sides.insert(name.substr(0, name.find('/')));
    }
    if (remove) TRY(RemoveInPlace(folder, set, stays));
  }
  return earlier;
}

bool WasSetWritten(const OutputFolder& folder, const SetPrefixes& prefixes) {
  return folder.WasWritten(SetName(prefixes));
}

Status MayBeginSet(OutputFolder& folder, const Item& item, const SetPrefixes& prefixes) {
  TRY(folder.NoteFolder());
  if (folder.overwrite()) return folder.MayClaim(item, SetName(prefixes));
  bool ours = false;
  std::vector<std::pair<std::string, std::string>> others;  // an output in place, and its source
  for (const FoundWork& set : folder.catalog().FindOutputs(SetName(prefixes))) {
    const SetInPlace found = TRY(LookAtSet(folder, set.key, prefixes));
    if (found.in_place.empty()) continue;
    if (folder.IsOfItem(item, set.key)) {
      ours = true;
    } else {
      others.emplace_back(found.in_place.front(), set.key.source);
    }
  }
  for (const auto& [output, source] : others) {
    if (folder.HasClaim(source, ours)) return folder.OtherSources(output, source);
  }
  return {};
}

namespace {

using Finished = std::optional<std::vector<std::string>>;

/// Of files that are there, or where an action has moved them, but not as any run has written them, takes for
/// in place those that may be edited.
/// `edits` has these then, and no others.
void TakeEdited(OutputFolder& folder, SetInPlace& set, SetEdits& edits) {
  const auto is_ours = [&](const std::string& name) {
    const std::vector<FoundWork> all = folder.catalog().FindOutputs(name);
    return std::any_of(all.begin(), all.end(),
                       [&](const FoundWork& each) { return folder.Holds(name, each.row); });
  };
  edits.found.clear();
  for (const auto& [key, row] : set.rows) {
    if (row.state != WorkRow::State::kDone || !edits.may_be(key.output)) continue;
    const bool edited = Exists(folder.PathOf(key.output))
                            ? !is_ours(key.output)
                            : !folder.WasMoved(key.output, row) && folder.WasMovedEdited(key.output);
    if (edited) edits.found.push_back(key.output);
  }
  std::vector<std::string> all;
  std::merge(set.in_place.begin(), set.in_place.end(), edits.found.begin(), edits.found.end(),
             std::back_inserter(all));
  set.in_place = std::move(all);
}

/// A set of another source's, of the same content: it is filed under this one's, too.
Result<Finished> TakeOver(OutputFolder& folder, const WorkKey& mine, const SetPrefixes& prefixes,
                          SetEdits* edits) {
  for (const FoundWork& set : folder.catalog().FindOutputs(mine.output)) {
    if (set.key.source == mine.source || set.key.content != mine.content ||
        set.key.fingerprint != mine.fingerprint) {
      continue;
    }
    SetInPlace found = TRY(LookAtSet(folder, set.key, prefixes));
    if (edits != nullptr && set.row.state == WorkRow::State::kDone) TakeEdited(folder, found, *edits);
    const size_t files = found.rows.size();
    std::vector<std::string> names = InPlaceOrMoved(folder, found);
    if (names.size() != files || files != static_cast<size_t>(set.row.size)) continue;
    found.rows.emplace_back(set.key, set.row);
    for (auto& [key, row] : found.rows) {
      key.source = mine.source;
      row.state = WorkRow::State::kDone;
    }
    TRY(folder.catalog().PutWork(found.rows));
    return Finished(std::move(names));
  }
  return Finished();
}

}  // namespace

Result<std::optional<std::vector<std::string>>> FindFinishedSet(OutputFolder& folder, const Item& item,
                                                                const SetPrefixes& prefixes,
                                                                SetEdits* edits) {
  TRY(folder.NoteFolder());
  const WorkKey set_key = folder.KeyOf(item, SetName(prefixes));
  const std::optional<WorkRow> set = folder.catalog().FindWork(set_key);
  if (!set) return TakeOver(folder, set_key, prefixes, edits);
  SetInPlace found = TRY(LookAtSet(folder, set_key, prefixes));
  auto& [rows, in_place] = found;
  if (edits != nullptr && set->state == WorkRow::State::kDone) TakeEdited(folder, found, *edits);
  std::vector<std::string> names = InPlaceOrMoved(folder, found);
  const bool whole = names.size() == rows.size() && rows.size() == static_cast<size_t>(set->size);
  if (!whole) {
    if (set->state == WorkRow::State::kIntent) {
      for (const std::string& half : in_place) {
        if (!HasOtherSource(folder, item, half)) ::unlink(folder.PathOf(half).c_str());
      }
    }
    return Finished();
  }
  TRY(folder.NoteSidecars(item));  // which versions of old have not
  // Rows that are not done: the set's is put last, and a file's may have been forgotten while it was gone.
  rows.emplace_back(set_key, *set);
  std::erase_if(rows, [](const auto& each) { return each.second.state == WorkRow::State::kDone; });
  for (auto& [key, row] : rows) row.state = WorkRow::State::kDone;
  if (!rows.empty()) TRY(folder.catalog().PutWork(rows));
  return Finished(std::move(names));
}

}  // namespace imgmill
