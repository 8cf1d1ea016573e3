// Counted while images are worked on, told when all are done.
#include "earlier_choices.h"

#include <iterator>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

EarlierChoices::EarlierChoices(const CommandServices& services, const OutputFolder& folder, bool prune)
    : services_(services),
      folder_(folder.folder()),
      prune_(prune),
      dry_run_(services.shared->mode != RunMode::kRun),
      prunes_now_(prune && !dry_run_) {}

void EarlierChoices::Add(const EarlierChoice& one) {
  const std::lock_guard lock(mutex_);
  if (one.files == 0) return;
  files_ += one.files;
  if (example_.empty() || one.example < example_) example_ = one.example;
  sides_.insert(one.sides.begin(), one.sides.end());
}

/// ", among them all of X2 and X3, where this run writes none".
std::string EarlierChoices::SidesText() const {
  std::string names;
  for (auto side = sides_.begin(); side != sides_.end(); ++side) {
    if (!names.empty()) names += std::next(side) == sides_.end() ? " and " : ", ";
    names += PrintablePath(*side);
  }
  return names.empty() ? "" : ", among them all of " + names + ", where this run writes none";
}

Status EarlierChoices::Foresee(OutputFolder& folder, const Item& item, const SetPrefixes& prefixes,
                               const std::vector<std::string>& names, bool exact) {
  if (services_.in_pipeline) {
    for (const std::string& name : names) foreseen_.Add(name);
    return {};
  }
  const EarlierChoice sure = TRY(FindEarlierChoice(folder, item, prefixes, names, /*remove=*/false));
  const EarlierChoice all =
      exact ? sure : TRY(FindEarlierChoice(folder, item, prefixes, {}, /*remove=*/false));
  Add(all);
  const std::lock_guard lock(mutex_);
  at_most_ = at_most_ || all.files > sure.files;
  return {};
}

void EarlierChoices::Tell(const std::string& what, CommandResult& result) const {
  if (dry_run_ && prune_ && !services_.in_pipeline) {
    result.details["to_remove"] = files_;
    if (at_most_) result.details["at_most"] = {"to_remove"};
  }
  if (files_ == 0) return;
  const std::string files = Counted(files_, "file");
  if (prunes_now_) {
    result.details["pruned"] = files_;
    result.summary += ", " + files + " of earlier choices removed";
    return;
  }
  result.details["files_of_earlier_choices"] = files_;
  for (const std::string& side : sides_)
    result.details["sides_of_earlier_choices"].push_back(PrintablePath(side));
  if (services_.in_pipeline) return;
  if (dry_run_ && prune_) {
    result.summary += std::string(", ") + (at_most_ ? "at most " : "") + files +
                      " of earlier choices would be removed, such as " +
                      PrintablePath(folder_ + "/" + example_) + SidesText();
    return;
  }
  services_.log(LogLevel::kWarning, files + " " + what + ", made of these images by earlier runs, " +
                                        (files_ == 1 ? "lies in " : "lie in ") + PrintablePath(folder_) +
                                        ", such as " + PrintablePath(folder_ + "/" + example_) + SidesText() +
                                        " (--prune removes them)");
}

}  // namespace imgmill
