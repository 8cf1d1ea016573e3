// The apply command: reads the decisions, looks whether the files are still those that were shown, acts.
#include "imgmill/commands/apply.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "changed_files.h"
#include "commands/acting_journal.h"
#include "commands/export_target.h"
#include "commands/freed_bytes.h"
#include "commands/planned_actions.h"
#include "dataset/folder_names.h"
#include "dataset/link_text.h"
#include "decisions_file.h"
#include "dedup_links.h"
#include "dedup_partners.h"
#include "duplicate_action.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"

namespace imgmill {
namespace {

/// A duplicate that may go, and what stays in its stead.
struct Decision {
  DecidedFile keep, duplicate;
  bool begins_group = false;

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    self.keep.EachField(self.keep, each);
    self.duplicate.EachField(self.duplicate, each);
    each(self.begins_group);
  }
};
using DecisionTable = RecordTable<Decision>;

/// There are no images to go over: the page has done that.
class NoOperation final : public Operation {
 public:
  NoOperation() : Operation({.name = "apply", .fingerprint = "apply"}) {}
  Result<ItemPlan> Plan(const Item&) const override { return ItemPlan::WithoutPixels({}); }
  Result<std::unique_ptr<ItemTask>> Start(const Item&, const ItemPlan&) override {
    return Error{Stage::kConfigure, Code::kInternal, "apply reads no images"};
  }
  void Collect(Outcome&) override {}
};

class ApplyRun final : public CommandRun {
 public:
  /// @param partners  null without --pair
  ApplyRun(const ApplyOptions& asked, const CommandServices& services,
           std::unique_ptr<DedupPartners> partners)
      : CommandRun(services),
        asked_(asked),
        services_(services),
        partners_(std::move(partners)),
        changed_(asked.action) {}
  Operation& operation() override { return operation_; }

  Result<CommandResult> Reduce(CommandResult result) override {
    if (result.counts.interrupted) return result;
    // Taken now: the files that this run makes hold none of what it finds changed.
    const std::vector<std::string> undo_files = EarlierUndoFiles(asked_.undo_file, services_);
    if (Status read = ReadDecisions(asked_.file, [&](const DecidedGroup& group) { return Take(group); });
        !read)
      return OfTarget("the decisions", asked_.file, read.error());
    TRY(Describe(result));
    const bool acts = asked_.action != "report" && services_.shared->mode != RunMode::kPlan;
    if (acts) TRY(Act(result));
    // Not before: what an interrupted run was in the middle of was ended only now.
    TRY(changed_.LookInto(undo_files));
    TellChanged(result);
    return result;
  }

 private:
  Status Take(const DecidedGroup& group) {
    if (services_.stop->StopRequested())
      return Error{Stage::kReduce, Code::kInterrupted, "stopped while reading the decisions"};
    ++groups_;
    kept_links_.Add(group.keep.path);
    if (changed_.HoldsKeeper(group.keep)) return {};
    bool first = true;
    for (const DecidedFile& duplicate : group.duplicates) {
      if (changed_.HoldsDuplicate(duplicate)) {
        kept_links_.Add(duplicate.path);
        continue;
      }
      decisions_.Add({group.keep, duplicate, first});
      first = false;
      freed_.Add(duplicate.path);
    }
    return {};
  }

  Status Describe(CommandResult& result) const {
    const uint64_t count = decisions_.size();
    result.details["decisions"] = PrintablePath(asked_.file);
    result.details["groups"] = groups_;
    result.details["duplicates"] = count;
    result.details["duplicate_bytes"] = freed_.total();
    result.details["changed"] = changed_.size();
    result.headline = Counted(groups_, "group decided on", "groups decided on");
    result.text = [decisions = decisions_](const TextSink& put) {
      return decisions.ForEach([&](const Decision& decision) -> Status {
        if (decision.begins_group) TRY(put("keep " + PrintablePath(decision.keep.path) + "\n"));
        return put("  dup " + PrintablePath(decision.duplicate.path) + "\n");
      });
    };
    result.details.SetRows("images", [decisions = decisions_](JsonElements& elements) {
      return decisions.ForEach([&](const Decision& decision) {
        return elements.Put({{"path", PrintablePath(decision.duplicate.path)},
                             {"keeper", PrintablePath(decision.keep.path)}});
      });
    });
    return {};
  }

  /// Before what the act phase has put into the summary.
  void TellChanged(CommandResult& result) const {
    result.details["changed"] = changed_.size();
    if (changed_.done_before() > 0) result.details["done_before"] = changed_.done_before();
    std::string summary =
        Counted(decisions_.size(), "duplicate") + " (" + FormatByteSize(freed_.total()) + ")";
    if (changed_.done_before() > 0)
      summary += ", " + std::to_string(changed_.done_before()) + " done by an earlier run";
    if (changed_.size() > 0)
      summary += ", " + std::to_string(changed_.size()) + " not what was shown, and left alone";
    result.summary.insert(0, summary);
    changed_.Tell(services_, result);
  }

  /// The images' folders are known by the decisions alone, so that this cannot be found earlier.
  Status CheckPartnersFolder() const {
    if (asked_.pair_move_to.empty()) return {};
    ListOptions folders;
    std::set<std::string> seen;
    TRY(decisions_.ForEach([&](const Decision& decision) -> Status {
      for (const DecidedFile* const file : {&decision.keep, &decision.duplicate}) {
        seen.insert(ParentOf(file->path));
      }
      return {};
    }));
    folders.paths.assign(seen.begin(), seen.end());
    return MayTakePartners("", asked_.pair_move_to, folders, {});
  }

  Status Act(CommandResult& result) {
    TRY(CheckPartnersFolder());
    TRY(KeepLinksWithoutPartners());
    const auto plan = [&](const ActionSink& put) {
      return decisions_.ForEach([&](const Decision& decision) -> Status {
        const Result<std::vector<FileAction>> its = ActionsOf(decision);
        if (its) return put(its->front(), std::span(*its).subspan(1));
        TellFailed(decision.duplicate.path, its.error(), services_, result);
        return {};
      });
    };
    return ExecuteActions(
        {"imgmill apply", asked_.action, asked_.undo_file, asked_.move_to, asked_.sidecars, asked_.pair,
         /*sets_aside=*/!asked_.move_to.empty(), decisions_.size() == 0, asked_.pair_move_to},
        plan, services_, result);
  }

  FileAction ActionOn(const Decision& decision) const {
    FileAction action;
    action.kind = DuplicateActionKind(asked_.action);
    action.path = decision.duplicate.path;
    action.keeper = decision.keep.path;
    action.seen = decision.duplicate.stamp;
    action.content = decision.duplicate.content;
    action.keeper_content = decision.keep.content;
    return action;
  }

  /// The action on the duplicate, then that on its partner; or why it is left.
  Result<std::vector<FileAction>> ActionsOf(const Decision& decision) {
    if (LeavesItsPlace(asked_.action)) TRY(kept_links_.MayGo(decision.duplicate.path));
    FileAction action = ActionOn(decision);
    std::string target = TRY(TargetOf(action, asked_.move_to, decision.duplicate.below));
    action.target = std::move(target);
    std::vector<FileAction> actions = {std::move(action)};
    if (partners_ != nullptr) {
      FileAction partner = TRY(PartnerOf(decision, actions.front()));
      actions.push_back(std::move(partner));
    }
    return actions;
  }

  /// Links that are left, since their partners cannot go with them, stay.
  Status KeepLinksWithoutPartners() {
    if (partners_ == nullptr) return {};
    return decisions_.ForEach([&](const Decision& decision) -> Status {
      const std::string& path = decision.duplicate.path;
      if (!LinkTextOf(path).empty() && !PartnerOf(decision, ActionOn(decision))) kept_links_.Add(path);
      return {};
    });
  }

  /// The names in a folder, as long as files of it follow one another.
  struct Folder {
    std::string path;
    FolderNames names;
  };

  /// As dedup has listed it. What else is in its folder is looked at now, before anything goes.
  static Result<ListedFile> Listed(const DecidedFile& file, Folder& folder) {
    if (std::string path = ParentOf(file.path); folder.path != path) {
      folder.names = TRY(FolderNames::Read(path, "", PathFilter({}, {}, /*videos=*/false)));
      folder.path = std::move(path);
    }
    ListedFile listed;
    listed.path = file.path;
    listed.relative = file.below;
    listed.clash = folder.names.ClashOf(NameOf(file.path));
    return listed;
  }

  Result<FileAction> PartnerOf(const Decision& decision, const FileAction& image) {
    const ListedFile duplicate = TRY(Listed(decision.duplicate, duplicates_));
    const ListedFile keep = TRY(Listed(decision.keep, keepers_));
    return partners_->ActionOn(image, duplicate, keep);
  }

  const ApplyOptions& asked_;
  const CommandServices& services_;
  const std::unique_ptr<DedupPartners> partners_;
  NoOperation operation_;
  DecisionTable decisions_;
  ChangedFiles changed_;
  Folder duplicates_, keepers_;
  LinkedPlaces kept_links_;
  FreedBytes freed_;
  uint64_t groups_ = 0;
};

class Apply final : public Command, public ChecksAhead {
 public:
  explicit Apply(Flags& flags) {
    flags.Footer(
        "Example:\n"
        "  imgmill dedup photos --html page.html      to be opened in a browser: Export decisions\n"
        "  imgmill apply decisions.json --action move --move-to duplicates");
    flags.Add("decisions", options_.file, "The file that the page has exported").Type("FILE").Required();
    AddDuplicateActionFlags(flags,
                            {options_.action, options_.move_to, options_.undo_file, options_.sidecars});
    PartnerFlags{options_.pair, options_.pair_names, options_.pair_move_to}.Add(flags);
  }

  Status MayRead(const CommandServices& services, const StepsBefore& before) const override {
    return MayTakePartners(options_.pair, options_.pair_move_to, services.shared->list, before);
  }
  Status MayWrite(const CommandServices&, const StepsBefore& before) const override {
    return MayActInto("--pair-move-to", options_.pair_move_to, {}, before);
  }

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::optional<std::string> TakePaths(ListOptions& list) override {
    if (list.NamesNothing()) return std::nullopt;
    return "apply takes the file of decisions alone: the images are named in there";
  }
  std::string catalog_of() const override { return ParentOf(options_.file); }
  bool needs_images() const override { return false; }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource& source, const CommandServices& services) override {
    if (services.in_pipeline) return UsageError("apply is no step of a pipeline: run it by itself");
    std::unique_ptr<DedupPartners> partners;
    if (!options_.pair.empty()) {
      DedupPartners read = TRY(
          DedupPartners::Read(options_.pair, options_.pair_names, options_.pair_move_to, source, services));
      partners = std::make_unique<DedupPartners>(std::move(read));
    }
    return std::unique_ptr<CommandRun>(std::make_unique<ApplyRun>(options_, services, std::move(partners)));
  }

 private:
  ApplyOptions options_;
};

}  // namespace

std::optional<std::string> ApplyOptions::Check() const {
  if (auto wrong = CheckPartners(pair, pair_names, pair_move_to, action, move_to)) return wrong;
  return CheckDuplicateAction(action, move_to, sidecars);
}

std::unique_ptr<Command> AddApply(Flags& flags) {
  return std::make_unique<Apply>(flags);
}

}  // namespace imgmill
