// The filter command: signals in the map phase, verdicts in the reduce, files copied, linked or moved in the
// act.
#include "imgmill/commands/filter.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "commands/acted_places.h"
#include "commands/embed/embedder.h"
#include "commands/export_target.h"
#include "commands/planned_actions.h"
#include "commands/readable_file.h"
#include "dataset/set_aside.h"
#include "filter_descriptions.h"
#include "filter_export.h"
#include "filter_operation.h"
#include "filter_rule.h"
#include "filter_scorers.h"
#include "filter_verdict.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/keeps_images.h"
#include "imgmill/commands/steps_before.h"

namespace imgmill {
namespace {

/// The rules of options that Check has passed.
std::vector<FilterRule> RulesOf(const FilterOptions& options) {
  std::vector<FilterRule> rules;
  for (const bool keeps : {true, false}) {
    for (const std::string& text : keeps ? options.keep : options.drop) {
      if (Result<FilterRule> rule = ParseRule(text, keeps)) rules.push_back(*std::move(rule));
    }
  }
  return rules;
}

FileAction::Kind KindOf(const std::string& action) {
  if (action == "move") return FileAction::Kind::kMove;
  if (action == "copy") return FileAction::Kind::kCopy;
  if (action == "trash") return FileAction::Kind::kTrash;
  return action == "hardlink" ? FileAction::Kind::kNewHardlink : FileAction::Kind::kNewSymlink;
}

/// The reduce, as work that a refused allocation does not end.
class Judging final : public LadderWork {
 public:
  Judging(FilterOperation& operation, std::vector<AppliedRule>& rules, Descriptions& descriptions,
          const CommandServices& services)
      : operation_(operation), rules_(rules), descriptions_(descriptions), services_(services) {}
  Status Run(const Attempt&) override {
    TRY(FindThresholds(operation_.entries(), rules_, *services_.memory, *services_.stop));
    return descriptions_.Measure(operation_.entries(), rules_, *services_.memory, *services_.stop);
  }
  bool has_cpu_rung() const override { return false; }

 private:
  FilterOperation& operation_;
  std::vector<AppliedRule>& rules_;
  Descriptions& descriptions_;
  const CommandServices& services_;
};

class Filter final : public Command, public ChecksAhead, public KeepsImages {
 public:
  explicit Filter(Flags& flags) { AddFilterFlags(flags, options_); }

  std::optional<std::string> Check() const override { return options_.Check(); }
  void ExpectPack() override { options_.packs = true; }
  const std::vector<std::string>& packed_sidecars() const override { return options_.sidecars; }
  std::string folder_to_leave_out() const override {
    return options_.to;
  }  // or a rerun would judge its copies

  /// The first one's: that there is any is what counts.
  std::string weight_file() const override {
    return options_.scorers.empty() ? std::string() : options_.scorers.front();
  }

  Status MayRead(const CommandServices& services, const StepsBefore& before) const override {
    TRY(MayActOnInput(options_.action, services.shared->list, before));
    for (const std::string& scorer : options_.scorers) TRY(MayBeWeights(services, scorer));
    return options_.clip.empty() ? Status() : MayBeWeights(services, options_.clip);
  }
  Status MayWrite(const CommandServices&, const StepsBefore& before) const override {
    TRY(MayExport("--export", options_.export_file, WrittenAs::kTable, before));
    TRY(MayExport("--html", options_.html, WrittenAs::kPage, before));
    return MayActInto("--to", options_.to, options_.undo_file, before);
  }
  std::vector<std::string> named_files() const override {
    return options_.export_file.empty() ? std::vector<std::string>()
                                        : std::vector<std::string>{options_.export_file};
  }
  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override;

 private:
  class FilterRun;

  /// Whether it may still come to nothing for all images, or to other files than these.
  bool ActsOnAll() const { return options_.action != "report" || !options_.max_drop.empty(); }

  Status CheckMostDropped(const std::vector<AppliedRule>& rules, const CommandResult& result) const {
    if (options_.max_drop.empty()) return {};
    const uint64_t judged = result.kept_images + result.dropped;
    const double most = TRY(MostDropped(options_.max_drop, judged));
    if (static_cast<double>(result.dropped) <= most) return {};
    const double percent = 100 * static_cast<double>(result.dropped) / static_cast<double>(judged);
    return Error{Stage::kReduce, Code::kLimitExceeded,
                 std::to_string(result.dropped) + " of " + std::to_string(judged) + " images (" +
                     ShortNumber(std::round(percent * 10) / 10) +
                     " %) would be dropped, more than --max-drop " + options_.max_drop + " allows (" +
                     DroppedByRule(rules, result.dropped) +
                     "); nothing was done: loosen the rules or raise --max-drop"};
  }

  /// Counts what each rule drops, and says so.
  Status Describe(const FilterOperation& operation, std::vector<AppliedRule>& rules,
                  const CommandServices& services, CommandResult& result) const {
    const FilterTable& entries = operation.entries();
    const Status counted = entries.ForEach([&](const FilterEntry& entry) {
      const uint64_t broken = BrokenRules(rules, entry);
      for (size_t r = 0; r < rules.size(); ++r) {
        if (!rules[r].HasValue(entry)) ++rules[r].no_value;
        rules[r].dropped += broken >> r & 1;
      }
      ++(broken == 0 ? result.kept_images : result.dropped);
      if (broken != 0) result.MarkDropped(services, entry.file, [&] { return WhyDropped(rules, entry); });
      return Status();
    });
    if (!counted) return counted;
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const AppliedRule& rule : rules) {
      list.push_back({{"rule", rule.rule.text},
                      {"effect", rule.rule.keeps ? "keep" : "drop"},
                      {"signal", rule.rule.field()},
                      {"threshold", JsonValue(rule.rule.signal, rule.threshold)},
                      {"dropped", rule.dropped},
                      {"no_value", rule.no_value}});
    }
    result.details["decoded"] = operation.decodes();
    result.details["rules"] = std::move(list);
    result.details["kept"] = result.kept_images;
    result.details["dropped"] = result.dropped;
    result.details.SetRows("kept_images", [entries, rules](JsonElements& elements) {
      return entries.ForEach([&](const FilterEntry& entry) {
        return BrokenRules(rules, entry) == 0 ? elements.Put(PrintablePath(entry.file.path)) : Status();
      });
    });
    result.details.SetRows("dropped_images", [entries, rules](JsonElements& elements) {
      return entries.ForEach([&](const FilterEntry& entry) {
        return BrokenRules(rules, entry) == 0 ? Status() : elements.Put(DroppedJson(rules, entry));
      });
    });
    if (!options_.export_file.empty()) result.details["export"] = PrintablePath(options_.export_file);
    result.text = [entries, rules](const TextSink& put) {
      return entries.ForEach([&](const FilterEntry& entry) {
        const std::string path = PrintablePath(entry.file.path);
        if (BrokenRules(rules, entry) == 0) return put("keep " + path + "\n");
        return put("drop " + path + "  (" + WhyDropped(rules, entry) + ")\n");
      });
    };
    result.summary =
        std::to_string(result.kept_images) + " kept, " + std::to_string(result.dropped) + " dropped";
    if (result.dropped > 0) result.summary += " (" + DroppedByRule(rules, result.dropped) + ")";
    result.findings = options_.check && result.dropped > 0;
    return {};
  }

  /// One action an image that it is about. A next step is given what was moved where it is now.
  Status Act(const FilterTable& entries, const std::vector<AppliedRule>& rules,
             const CommandServices& services, CommandResult& result, ActedPlaces& places) const {
    const bool on_kept = ActsOnKept();
    PlannedImages planned;
    const auto plan = [&](const ActionSink& put) {
      return entries.ForEach([&](const FilterEntry& entry) -> Status {
        if ((BrokenRules(rules, entry) == 0) != on_kept) return {};
        FileAction action;
        action.kind = KindOf(options_.action);
        action.path = entry.file.path;
        const Result<std::string> target = TargetOf(action, options_.to, entry.file.relative);
        if (!target) {
          TellFailed(entry.file.path, target.error(), services, result);
          return {};
        }
        action.target = *target;
        action.seen = entry.stamp;
        action.content = entry.content;
        planned.Add(entry.file, result);
        if (action.moves()) places.Add(entry.file);
        return put(action, {});
      });
    };
    if (!options_.MovesAway()) result.placed.folder = options_.to;
    const uint64_t about = on_kept ? result.kept_images : result.dropped;
    if (about > 0) result.details["acted_on"] = on_kept ? "kept" : "dropped";
    const auto done = [&](const FileAction& action) {
      planned.MarkDone(action, result);
      if (action.moves()) places.MarkDone(action);
    };
    // Those that are kept are a set of their own, but for a folder that the same input would be read with.
    const bool aside =
        !options_.to.empty() && (!on_kept || LiesInInput(options_.to, services.shared->list.paths));
    return ExecuteActions({"imgmill filter",
                           options_.action,
                           options_.undo_file,
                           options_.to,
                           options_.sidecars,
                           {},
                           aside,
                           about == 0},
                          plan, services, result, done);
  }

  bool ActsOnKept() const {
    return options_.act_on.empty() ? !options_.MovesAway() : options_.act_on == "kept";
  }

  /// What a next step is given: the kept ones, those that were moved where they are now.
  Status Keep(const FilterTable& entries, const std::vector<AppliedRule>& rules, const ActedPlaces& places,
              FileTable& kept) const {
    return entries.ForEach([&](FilterEntry& entry) -> Status {
      if (BrokenRules(rules, entry) != 0) return {};
      entry.file.path = places.PathOf(entry.file);
      kept.Add(entry.file);
      return {};
    });
  }

  FilterOptions options_;
};

class Filter::FilterRun final : public CommandRun {
 public:
  FilterRun(const Filter& filter, std::vector<Scorer> scorers, const CommandServices& services)
      : CommandRun(services),
        filter_(filter),
        services_(services),
        scorers_(std::move(scorers)),
        rules_(AssignColumns(RulesOf(filter.options_), signals_)),
        descriptions_(filter.options_, AllColumns()),
        operation_(signals_, filter.options_.WantsAllSignals(), scorers_, services, RulesOf(filter.options_),
                   filter.ActsOnAll()) {}

  Operation& operation() override { return operation_; }

  size_t ReduceBytes(uint64_t images) const override {
    const auto percentile = [](const AppliedRule& each) { return each.rule.percentile; };
    const bool sorts = descriptions_.wanted() || std::any_of(rules_.begin(), rules_.end(), percentile);
    return std::max(sorts ? images * sizeof(double) : 0, Exported().total());
  }
  Result<CommandResult> Reduce(CommandResult result) override {
    if (result.counts.interrupted) return result;  // half a folder has no percentiles
    descriptions_.Know(result.failed);
    Judging judging(operation_, rules_, descriptions_, services_);
    const LadderOutcome judged = services_.memory->Guarded(judging, kHostWork, *services_.stop);
    if (!judged.status) return judged.status.error();
    if (exports() && services_.shared->mode == RunMode::kRun &&
        !LeavesExport(filter_.options_.export_file, operation_.entries().size(), services_, result)) {
      const Status exported = Export();
      result.counts.interrupted = !exported && exported.error().code == Code::kInterrupted;
      if (result.counts.interrupted) return result;
      if (!exported) return exported.error();
    }
    TRY(filter_.Describe(operation_, rules_, services_, result));
    descriptions_.Report(rules_, result);
    TRY(descriptions_.PreparePage(operation_.entries(), rules_, services_, result));
    if (result.counts.interrupted) return result;
    if (!scorers_.empty()) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const Scorer& scorer : scorers_)
        list.push_back({{"model", PrintablePath(scorer.path)}, {"signal", InfoOf(scorer.signal).name}});
      result.details["scorers"] = std::move(list);
    }
    ActedPlaces places(filter_.options_.action == "move" ? filter_.options_.to : "");
    Status acted;
    if (Status allowed = filter_.CheckMostDropped(rules_, result); !allowed) {
      result.refusal = allowed.error();
    } else if (filter_.options_.action != "report") {
      acted = filter_.Act(operation_.entries(), rules_, services_, result, places);
    }
    const Status page = descriptions_.WritePage(operation_.entries().size(), rules_, places, result);
    TRY(acted);
    if (!page) TellUnwrittenPage(page.error(), services_, result);
    if (services_.in_pipeline) {
      TRY(filter_.Keep(operation_.entries(), rules_, places, result.kept));
    }
    return result;
  }

 private:
  bool exports() const { return !filter_.options_.export_file.empty(); }
  Footprint Exported() const { return exports() ? ExportHolds(filter_.options_.export_file) : Footprint{}; }

  Status Export() {
    const Lease lease = TRY(services_.memory->Acquire(Exported(), *services_.stop));
    return ExportSignals(filter_.options_.export_file, operation_.entries(), rules_, operation_.facts());
  }

  /// The signals of the rules, and where signals are described all others behind them.
  const std::vector<Signal>& AllColumns() {
    if (!filter_.options_.DescribesSignals()) return signals_;
    for (const SignalInfo& info : AllSignals()) {
      const auto gives = [&](const Scorer& scorer) { return scorer.signal == info.signal; };
      const bool known = !info.by_network || std::any_of(scorers_.begin(), scorers_.end(), gives);
      if (known && std::find(signals_.begin(), signals_.end(), info.signal) == signals_.end())
        signals_.push_back(info.signal);
    }
    return signals_;
  }

  const Filter& filter_;
  const CommandServices& services_;
  const std::vector<Scorer> scorers_;
  std::vector<Signal> signals_;
  std::vector<AppliedRule> rules_;
  Descriptions descriptions_;
  FilterOperation operation_;
};

Result<std::unique_ptr<CommandRun>> Filter::Begin(ItemSource&, const CommandServices& services) {
  std::vector<Scorer> scorers = TRY(OpenScorers(options_, RulesOf(options_), services));
  const bool any = !scorers.empty();
  auto run = std::make_unique<FilterRun>(*this, std::move(scorers), services);
  if (any) run->options.workers = ModelWorkers(services);
  return std::unique_ptr<CommandRun>(std::move(run));
}

}  // namespace

std::unique_ptr<Command> AddFilter(Flags& flags) {
  return std::make_unique<Filter>(flags);
}

}  // namespace imgmill
