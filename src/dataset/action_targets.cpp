// Tries numbered names in turn.
#include "dataset/action_targets.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "base/path_parts.h"
#include "dataset/added_file.h"
#include "dataset/shortened_name.h"
#include "dataset/trash.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Whether both are one entry of one folder, by whichever links that is reached.
bool IsSameEntry(const std::string& a, const std::string& b) {
  return a == b || (NameOf(a) == NameOf(b) && AbsoluteEntry(a) == AbsoluteEntry(b));
}

/// Which of the target's numbered names the file has; 0 for none. It was moved there before, past others that
/// had the names in front of it.
int NumberOf(const std::string& path, const std::string& target) {
  if (IsSameEntry(path, target)) return 1;
  const std::string_view stem = StemOf(NameOf(path));
  const std::string_view digits = stem.substr(std::min(stem.rfind('-'), stem.size() - 1) + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_one = error == std::errc() && end == digits.data() + digits.size() && number > 1;
  return is_one && IsSameEntry(path, NumberedTarget(target, number)) ? number : 0;
}

}  // namespace

std::string NumberedTarget(const std::string& target, int number) {
  if (number == 1) return target;
  const std::string_view name = NameOf(target);
  const std::string_view stem = StemOf(name);
  const std::string added = "-" + std::to_string(number) + std::string(name.substr(stem.size()));
  return target.substr(0, target.size() - name.size()) + ShortenedName(stem, added.size()) + added;
}

std::string SidecarTarget(const FileAction& image, const std::string& image_target,
                          const FileAction& sidecar) {
  if (image_target == image.target) return sidecar.target;
  const std::string_view planned = NameOf(image.target);
  const std::string_view mine = NameOf(sidecar.target);
  const std::string_view stem = StemOf(planned);
  const std::string folder = ParentOf(sidecar.target);  // a partner's is not the image's
  if (mine.starts_with(planned))
    return Join(folder, std::string(NameOf(image_target)).append(mine.substr(planned.size())));
  if (mine.starts_with(stem))
    return Join(folder, std::string(StemOf(NameOf(image_target))).append(mine.substr(stem.size())));
  // A partner of another name gets the number alone.
  const std::string_view numbered = StemOf(NameOf(image_target)), own = StemOf(mine);
  const std::string_view number = numbered.substr(std::min(stem.size(), numbered.size()));
  return Join(folder, std::string(own).append(number).append(mine.substr(own.size())));
}

TakenTargets::Place TakenTargets::Look(const FileAction& action, const std::string& target) const {
  if (action.kind == FileAction::Kind::kMove && IsSameEntry(target, action.path)) return Place::kAlready;
  // A side-car that several images share is copied to the same name by each of them.
  if (const auto taken = sources_.find(target); taken != sources_.end())
    return action.sidecar && action.adds() && taken->second == action.path ? Place::kAlready : Place::kTaken;
  struct stat info {};
  if (::lstat(target.c_str(), &info) != 0) {
    const bool noted = action.kind == FileAction::Kind::kTrash && Exists(TrashInfoOf(target));
    return noted ? Place::kTaken : Place::kFree;
  }
  // A side-car that is moved may be there, too: the copy that went with another image, which shared it.
  const bool may_be_there = action.adds() || (action.sidecar && action.kind != FileAction::Kind::kTrash);
  return may_be_there && IsAddedAlready(action, target) ? Place::kAlready : Place::kTaken;
}

Result<ChosenTarget> TakenTargets::ForImage(const FileAction& image,
                                            const std::vector<FileAction>& sidecars) {
  if (image.kind == FileAction::Kind::kTrash) return InTrash(image);
  if (image.kind == FileAction::Kind::kMove) {
    // Its name stays, whatever has become of those in front of it.
    const int number = NumberOf(image.path, image.target);
    if (number > 0) return ChosenTarget{NumberedTarget(image.target, number), true};
  }
  for (int number = 1;; ++number) {
    std::string target = NumberedTarget(image.target, number);
    const Place place = Look(image, target);
    if (place == Place::kTaken) continue;
    // An image that is there already keeps its name, whatever has become of its side-cars.
    if (place == Place::kAlready) return ChosenTarget{std::move(target), true};
    const auto in_the_way = [&](const FileAction& sidecar) {
      return sidecar.has_target() && Look(sidecar, SidecarTarget(image, target, sidecar)) == Place::kTaken;
    };
    if (std::none_of(sidecars.begin(), sidecars.end(), in_the_way))
      return ChosenTarget{std::move(target), false};
  }
}

/// The note says where each file was: what goes together need not have the names to show it.
ChosenTarget TakenTargets::InTrash(const FileAction& action) {
  const std::string folder = ParentOf(action.target);
  const std::string numbered = Join(folder, NameOf(action.path));
  const auto last = last_numbers_.find(numbered);
  for (int number = last == last_numbers_.end() ? 1 : last->second;; ++number) {
    std::string target = Join(folder, TrashNameOf(NameOf(action.path), number));
    if (Look(action, target) != Place::kFree) continue;
    if (number > 1) last_numbers_[numbered] = number;
    return {std::move(target), false};
  }
}

Result<ChosenTarget> TakenTargets::ForSidecar(const FileAction& sidecar, const std::string& target) {
  if (sidecar.kind == FileAction::Kind::kTrash) return InTrash(sidecar);
  const Place place = Look(sidecar, target);
  if (place != Place::kTaken) return ChosenTarget{target, place == Place::kAlready};
  return Error{Stage::kAct, Code::kConflict,
               PrintablePath(target) + " is there already, and is another file" +
                   (sidecar.adds() ? ", such as an earlier version; it is left so (delete it, and run again, "
                                     "to have this one in its place)"
                                   : "; this one stays where it is")};
}

}  // namespace imgmill
