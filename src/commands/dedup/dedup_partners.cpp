// By the index of partners that tile, pack and compare use.
#include "dedup_partners.h"

#include <unistd.h>

#include <cerrno>

#include "base/path_parts.h"
#include "base/try.h"
#include "commands/paired_source.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

constexpr char kExpectation[] = "--pair takes the folder of other images, which go where these go";

}  // namespace

Result<DedupPartners> DedupPartners::Read(const DedupOptions& options, const ItemSource& source,
                                          const CommandServices& services) {
  PairIndex index = TRY(
      ReadPairs(source, services, {options.pair, options.pair_names, options.pair_move_to, kExpectation}));
  return DedupPartners(std::move(index), WithoutRedundancy(options.pair), options.pair_move_to);
}

Result<FileAction> DedupPartners::ActionOn(const FileAction& image, const DedupEntry& duplicate,
                                           const DedupEntry& keeper) {
  FileAction action;
  action.kind = image.kind;
  action.sidecar = true;
  std::string partner = TRY(index_.Take(duplicate.file));
  TRY(IsAnother(duplicate.file.path, partner, kExpectation));
  Result<std::string> kept = index_.Take(keeper.file);
  if (!kept) {
    Error error = kept.error();
    error.message = "the image to keep, " + PrintablePath(keeper.file.path) +
                    ", has no partner that would stay (" + error.message + ")";
    return error;
  }
  const FileStamp stamp = TRY(StampOf(partner));
  if (::access(ParentOf(partner).c_str(), W_OK | X_OK) != 0)
    return ErrnoError(Stage::kAct, errno, "take its partner " + PrintablePath(partner) + " away");
  action.seen = stamp;
  action.path = std::move(partner);
  action.keeper = *std::move(kept);
  if (image.has_target()) {
    const std::string begin = Join(folder_, "");
    const bool below = action.path.starts_with(begin);
    action.target =
        Join(move_to_, below ? std::string_view(action.path).substr(begin.size()) : NameOf(action.path));
    action.keeper.clear();  // a move needs none
  }
  return action;
}

}  // namespace imgmill
