// By the index of partners that tile, pack and compare use.
#include "dedup_partners.h"

#include <unistd.h>

#include <cerrno>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "commands/paired_source.h"
#include "dataset/set_aside.h"
#include "dataset/trash.h"
#include "duplicate_action.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"

namespace imgmill {
namespace {

constexpr char kExpectation[] = "--pair takes the folder of other images, which go where these go";

}  // namespace

void PartnerFlags::Add(Flags& flags) const {
  flags
      .Add("--pair", pair,
           "Folder of partners, such as low-resolution images: those of duplicates that go do so, too")
      .Type("DIR");
  names.AddFlags(flags);
  flags.Add("--pair-move-to", move_to, "Folder for the partners with --action move").Type("DIR");
}

std::optional<std::string> CheckPartners(const std::string& pair, const PairNameOptions& names,
                                         const std::string& pair_move_to, const std::string& action,
                                         const std::string& move_to) {
  if (pair.empty())
    return names.AreGiven() || !pair_move_to.empty()
               ? std::optional<std::string>("--pair-name, --own-name and --pair-move-to go with --pair DIR")
               : std::nullopt;
  if (!LeavesItsPlace(action))
    return "--pair goes with --action move, trash or delete: else no file goes, and pairs stay as they are";
  if (action == "move" && pair_move_to.empty())
    return "--pair with --action move needs a folder for the partners: --pair-move-to DIR";
  if (action != "move" && !pair_move_to.empty()) return "--pair-move-to goes with --action move";
  if (!pair_move_to.empty() &&
      AbsoluteEntry(WithoutRedundancy(pair_move_to)) == AbsoluteEntry(WithoutRedundancy(move_to)))
    return "--pair-move-to is the folder of --move-to: partners of equal names would meet there";
  return names.Check();
}

Status MayTakePartners(const std::string& pair, const std::string& pair_move_to, const ListOptions& list,
                       const StepsBefore& before) {
  if (AtOrIntoArchive(pair))
    return UsageError("--pair " + PrintablePath(pair) +
                      " leads into an archive, and archives are not changed: unpack it first");
  if (!pair.empty()) TRY(MayReadPairs({pair}, before));
  if (!pair_move_to.empty() && LiesInInput(pair_move_to, list.paths))
    return UsageError(
        "--pair-move-to " + PrintablePath(pair_move_to) +
        " lies in a folder of the input, where the next run would take partners for images: name "
        "another");
  return {};
}

Result<DedupPartners> DedupPartners::Read(const std::string& pair, const PairNameOptions& names,
                                          const std::string& move_to, const ItemSource& source,
                                          const CommandServices& services) {
  PairIndex index = TRY(ReadPairs(source, services, {pair, names, move_to, kExpectation}));
  return DedupPartners(std::move(index), WithoutRedundancy(pair), move_to);
}

Result<FileAction> DedupPartners::ActionOn(const FileAction& image, const ListedFile& duplicate,
                                           const ListedFile& keeper) {
  FileAction action;
  action.kind = image.kind;
  action.sidecar = true;
  std::string partner = TRY(index_.Take(duplicate));
  TRY(IsAnother(duplicate.path, partner, kExpectation));
  Result<std::string> kept = index_.Take(keeper);
  if (!kept) {
    Error error = kept.error();
    error.message = "the image to keep, " + PrintablePath(keeper.path) +
                    ", has no partner that would stay (" + error.message + ")";
    return error;
  }
  if (AbsoluteEntry(*kept) == AbsoluteEntry(partner) ||
      (image.kind != FileAction::Kind::kMove && Canonical(*kept) == AbsoluteEntry(partner))) {
    return Error{Stage::kAct, Code::kConflict,
                 "its partner, " + PrintablePath(partner) + ", is that of the image to keep, too, " +
                     PrintablePath(keeper.path)};
  }
  const FileStamp stamp = TRY(StampOf(partner));
  if (::access(ParentOf(partner).c_str(), W_OK | X_OK) != 0)
    return ErrnoError(Stage::kAct, errno, "take its partner " + PrintablePath(partner) + " away");
  action.seen = stamp;
  action.path = std::move(partner);
  action.keeper = *std::move(kept);
  if (image.kind == FileAction::Kind::kTrash) {
    std::string target = TRY(TrashTargetOf(action.path));
    action.target = std::move(target);
  } else if (image.has_target()) {
    const std::string begin = Join(folder_, "");
    const bool below = action.path.starts_with(begin);
    action.target =
        Join(move_to_, below ? std::string_view(action.path).substr(begin.size()) : NameOf(action.path));
    action.keeper.clear();  // a move needs none
  }
  return action;
}

}  // namespace imgmill
