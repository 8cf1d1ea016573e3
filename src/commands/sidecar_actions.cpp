// A side-car is moved, copied, linked or deleted as its image is, unless another image has it, too.
#include "sidecar_actions.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"

namespace imgmill {
namespace {

using Kind = FileAction::Kind;

const std::vector<std::string> kNone = {"none"};
/// What people keep beside images: who does not name side-cars is told of these.
const std::vector<std::string> kUsual = {"*.txt", "*.caption", "*.json", "*.xmp", "*.npz"};

/// A link takes the image's place, under its name.
bool StaysInPlace(Kind kind) {
  return kind == Kind::kHardlink || kind == Kind::kSymlink;
}

}  // namespace

void AddSidecarFlag(Flags& flags, std::vector<std::string>& patterns) {
  flags
      .Add("--sidecars", patterns,
           "Files beside an image that go where it goes, such as '*.txt,*.json'; none leaves them "
           "without a warning")
      .SplitAtCommas()
      .Type("PATTERN,...");
}

std::optional<std::string> CheckSidecars(const std::vector<std::string>& patterns, bool acts) {
  if (patterns.empty() || patterns == kNone) return std::nullopt;
  if (auto wrong = SidecarFinder::Check(patterns)) return wrong;
  if (acts) return std::nullopt;
  return "--sidecars goes with an --action by which images go somewhere; otherwise side-cars stay, too";
}

void WarnOfUnmatched(const CommandServices& services, const SidecarFinder& finder, const char* of) {
  std::string patterns;
  for (const std::string& pattern : finder.Unmatched())
    patterns += (patterns.empty() ? "" : ", ") + PrintablePath(pattern);
  if (patterns.empty()) return;
  services.log(LogLevel::kWarning, std::string("no side-car") + of + " matches " + patterns);
}

SidecarActions::SidecarActions(const std::vector<std::string>& patterns)
    : asked_(!patterns.empty()),
      silent_(patterns == kNone),
      finder_(silent_  ? std::vector<std::string>()
              : asked_ ? patterns
                       : kUsual) {}

std::optional<FileAction> SidecarActions::ActionOn(const Sidecar& sidecar, const FileAction& image) {
  FileAction action;
  action.kind = image.kind;
  action.path = sidecar.path;
  action.sidecar = true;
  if (image.has_target()) action.target = sidecar.Beside(image.target);
  if (!image.adds() && finder_.Shares(image.path, sidecar)) {
    shared_.insert(sidecar.path);
    if (image.takes_away()) return std::nullopt;
    action.kind = Kind::kCopy;
  }
  // With equal bytes beside the kept image, undo can bring it back from there.
  if (action.kind == Kind::kDelete) {
    action.keeper = sidecar.Beside(image.keeper);
    if (action.keeper == action.path || ::access(action.keeper.c_str(), F_OK) != 0)
      action.keeper = image.keeper;
  }
  if (const Result<FileStamp> stamp = StampOf(sidecar.path)) action.seen = *stamp;
  return action;
}

std::vector<FileAction> SidecarActions::Of(const FileAction& image) {
  std::vector<FileAction> actions;
  if (silent_ || StaysInPlace(image.kind)) return actions;
  const std::vector<Sidecar> sidecars = finder_.Of(image.path);
  if (!asked_) {
    if (sidecars.empty()) return actions;
    if (left_++ == 0) example_ = sidecars.front().path;
    for (const Sidecar& sidecar : sidecars) endings_.insert(sidecar.ending);
    return actions;
  }
  for (const Sidecar& sidecar : sidecars) {
    if (std::optional<FileAction> action = ActionOn(sidecar, image)) actions.push_back(*std::move(action));
  }
  planned_ += actions.size();
  return actions;
}

void SidecarActions::Tell(const CommandServices& services, CommandResult& result) const {
  if (left_ > 0) {
    std::string patterns;
    for (const std::string& ending : endings_) patterns += (patterns.empty() ? "*" : ",*") + ending;
    services.log(LogLevel::kWarning, Counted(left_, "image has", "images have") +
                                         " side-cars that do not go along, such as " +
                                         PrintablePath(example_) + " (--sidecars '" + patterns +
                                         "' takes them along, --sidecars none leaves them)");
    result.details["images_with_sidecars_left"] = left_;
  }
  if (asked_ && !silent_) WarnOfUnmatched(services, finder_, " of the images that go");
  if (!shared_.empty()) {
    services.log(LogLevel::kInfo,
                 std::to_string(shared_.size()) +
                     (shared_.size() == 1
                          ? " side-car belongs to several images of one name, and stays where it is"
                          : " side-cars belong to several images of one name, and stay where they are"));
    result.details["sidecars_shared"] = shared_.size();
  }
}

}  // namespace imgmill
