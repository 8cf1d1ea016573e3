// Fields that a later version has added stand at the end of a line.
#include "dataset/journal_lines.h"

#include <array>

namespace imgmill {
namespace {

constexpr std::string_view kSidecar = "sidecar";
/// In the start line of a link: what it is led by is written down.
constexpr std::string_view kTellsLed = "led";
constexpr std::array<std::string_view, 8> kKinds = {"move",  "hardlink", "symlink",      "delete",
                                                    "trash", "copy",     "new-hardlink", "new-symlink"};

/// An empty field is none.
bool ParseDigest(std::string_view text, std::optional<ContentDigest>& digest) {
  if (!text.empty()) digest = ContentDigest::FromHex(text);
  return text.empty() || digest;
}

}  // namespace

bool ParseAction(std::string_view line, FileAction& action) {
  Fields fields(line);
  fields.Next();
  fields.Next();
  const std::string_view kind = fields.Next();
  size_t which = 0;
  while (which < kKinds.size() && kKinds[which] != kind) ++which;
  if (which == kKinds.size()) return false;
  action.kind = static_cast<FileAction::Kind>(which);
  action.path = fields.NextPath();
  action.target = fields.NextPath();
  action.keeper = fields.NextPath();
  const std::string_view size = fields.Next();
  const std::string_view mtime = fields.Next();
  if (!size.empty()) {
    action.seen.emplace();
    if (!Parse(size, action.seen->size) || !Parse(mtime, action.seen->mtime_ns)) return false;
  }
  // What follows is missing in files of earlier versions.
  const std::string_view ctime = fields.Next();
  const std::string_view inode = fields.Next();
  if (!ctime.empty() && action.seen &&
      (!Parse(ctime, action.seen->ctime_ns) || !Parse(inode, action.seen->inode))) {
    return false;
  }
  if (!ParseDigest(fields.Next(), action.content) || !ParseDigest(fields.Next(), action.keeper_content))
    return false;
  action.sidecar = fields.Next() == kSidecar;
  return !action.path.empty();
}

bool ParseStart(std::string_view line, ActionStart& start) {
  Fields fields(line);
  fields.Next();
  fields.Next();
  start.target = fields.NextPath();
  const bool numbers = Parse(fields.Next(), start.size) && Parse(fields.Next(), start.mtime_ns) &&
                       Parse(fields.Next(), start.mode);
  const bool digest = ParseDigest(fields.Next(), start.digest);
  start.link = fields.NextPath();
  start.moment = fields.Next();
  start.old = !start.link.empty() && fields.Next() != kTellsLed;
  return numbers && digest;
}

std::string PlanLine(size_t id, const FileAction& action) {
  std::string line =
      "plan\t" + std::to_string(id) + "\t" + std::string(kKinds[static_cast<size_t>(action.kind)]) + "\t" +
      PrintablePath(action.path) + "\t" + PrintablePath(action.target) + "\t" + PrintablePath(action.keeper);
  const std::optional<FileStamp>& seen = action.seen;
  line += seen ? "\t" + std::to_string(seen->size) + "\t" + std::to_string(seen->mtime_ns) + "\t" +
                     std::to_string(seen->ctime_ns) + "\t" + std::to_string(seen->inode)
               : "\t\t\t\t";
  line += "\t" + (action.content ? action.content->Hex() : "") + "\t" +
          (action.keeper_content ? action.keeper_content->Hex() : "");
  if (action.sidecar) line += "\t" + std::string(kSidecar);
  return line;
}

std::string StartLine(size_t id, const ActionStart& start) {
  std::string rest = start.moment;
  if (!start.link.empty()) rest += "\t" + std::string(kTellsLed);
  return "start\t" + std::to_string(id) + "\t" + PrintablePath(start.target) + "\t" +
         std::to_string(start.size) + "\t" + std::to_string(start.mtime_ns) + "\t" +
         std::to_string(start.mode) + "\t" + (start.digest ? start.digest->Hex() : "") + "\t" +
         PrintablePath(start.link) + (rest.empty() ? "" : "\t" + rest);
}

}  // namespace imgmill
