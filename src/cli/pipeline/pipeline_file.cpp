// From YAML to a checked pipeline.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/try.h"
#include "base/usage_error.h"
#include "cli/command_table.h"
#include "cli/defaults_file.h"
#include "cli/yaml_options.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"
#include "imgmill/commands/flags.h"
#include "pipeline.h"
#include "pipeline_check.h"

namespace imgmill {
namespace {

/// Of the file alone: no flag of `run` is called so, or it means something else there.
constexpr std::array<const char*, 8> kTopKeys = {"input", "output",  "report",  "report-page",
                                                 "steps", "include", "exclude", "recursive"};

/// "input": one path or several.
Status ReadInput(const YAML::Node& node, const std::string& file, ListOptions& list) {
  if (node.IsScalar() && !node.Scalar().empty()) {
    std::string path = TRY(PathAt(node, file));
    list.paths.push_back(std::move(path));
    return {};
  }
  if (!node.IsSequence()) return UsageError(AtLine(file, node, "\"input\" takes a path or a list of paths"));
  if (node.size() == 0)
    return UsageError(AtLine(file, node, "\"input\" is an empty list: it takes a path or a list of paths"));
  for (const YAML::Node& item : node) {
    if (!item.IsScalar()) return UsageError(AtLine(file, item, "\"input\" takes paths"));
    std::string path = TRY(PathAt(item, file));
    list.paths.push_back(std::move(path));
  }
  return {};
}

/// What tells of a pipeline lies with its outputs.
Status ReadReports(const YAML::Node& root, const std::string& file, const std::string& output,
                   SharedOptions& shared) {
  for (const auto& [key, target] :
       {std::pair{"report", &shared.report}, std::pair{"report-page", &shared.report_page}}) {
    if (!root[key] || !target->empty()) continue;
    if (!root[key].IsScalar())
      return UsageError(AtLine(file, root[key], "\"" + std::string(key) + "\" takes a file name"));
    if (shared.mode != RunMode::kRun) continue;  // that of the last run stays; a flag asks for one of this
    const std::string name = root[key].Scalar();
    std::string elsewhere = TRY(PathAt(root[key], file));
    const bool below = !name.empty() && name[0] != '/' && name[0] != '~';
    *target = below ? output + "/" + name : std::move(elsewhere);
  }
  return {};
}

/// What is for the whole run, and was written below a step.
Status IsOfStep(const YAML::Node& options, const std::string& file, CLI::App& of_step, CLI::App& of_run) {
  if (!options.IsMap()) return {};
  for (const auto& entry : options) {
    const std::string key = entry.first.as<std::string>("");
    if (of_step.get_option_no_throw("--" + key) != nullptr) continue;
    const bool at_top = of_run.get_option_no_throw("--" + key) != nullptr ||
                        std::ranges::find(kTopKeys, key) != kTopKeys.end();
    if (at_top && key != "help" && key != "config")
      return UsageError(AtLine(file, entry.first,
                               "\"" + key +
                                   "\" is for the whole run: it belongs at the top level of the "
                                   "file, beside \"steps\""));
  }
  return {};
}

Result<PipelineStep> ReadStep(const YAML::Node& node, const std::string& file, const std::string& output,
                              CLI::App& of_run, std::map<std::string, int>& uses) {
  if (!node.IsMap() || node.size() != 1) {
    return UsageError(
        AtLine(file, node, "a step is one command with its options below it, as in \"- dedup:\""));
  }
  const auto entry = *node.begin();
  PipelineStep step;
  step.name = entry.first.as<std::string>("");
  const CommandRow* row = FindCommand(step.name);
  if (row == nullptr || row->kind != CommandKind::kImages) {
    std::vector<std::string> names;
    for (const CommandRow& known : CommandTable()) {
      if (known.kind == CommandKind::kImages) names.emplace_back(known.name);
    }
    std::string what = "unknown step \"" + step.name + "\"";
    if (const auto guess = DidYouMean(step.name, names)) what += "; did you mean \"" + *guess + "\"?";
    return UsageError(AtLine(file, entry.first, what));
  }
  step.place = AtLine(file, entry.first, step.name);
  step.leaves_set_aside = row->leaves_set_aside;
  step.app = std::make_unique<CLI::App>(std::string(row->help), step.name);
  Flags flags(*step.app);
  step.command = row->add(flags);
  TRY(IsOfStep(entry.second, file, *step.app, of_run));
  TRY(ApplyYaml(entry.second, file, *step.app, {}));
  TRY(ApplyDefaultsFile(*step.command, *step.app));
  const int use = ++uses[step.name];
  step.title = step.name + (use > 1 ? "-" + std::to_string(use) : "");
  step.folder = output + "/" + step.title;
  if (CLI::Option* option = step.app->get_option_no_throw("--output");
      option != nullptr && option->count() == 0) {
    step.command->set_output_folder(step.folder);
  }
  if (const auto wrong = step.command->Check()) return UsageError(AtLine(file, entry.first, *wrong));
  return step;
}

}  // namespace

PipelineStep::PipelineStep() = default;
PipelineStep::PipelineStep(PipelineStep&&) noexcept = default;
PipelineStep::~PipelineStep() = default;

Result<CommandPipeline> ReadPipeline(const std::string& file, CLI::App& app, SharedOptions& shared) {
  YAML::Node loaded = TRY(LoadYaml(file));
  const YAML::Node& root = loaded;
  if (!root.IsMap()) return UsageError(PrintablePath(file) + ": expected input, output and steps");

  if (Status applied = ApplyYaml(root, file, app, std::set<std::string>(kTopKeys.begin(), kTopKeys.end()));
      !applied) {
    return applied.error();
  }
  CommandPipeline pipeline;
  pipeline.file = file;
  for (const char* needed : {"input", "output", "steps"}) {
    if (!root[needed]) return UsageError(PrintablePath(file) + ": \"" + needed + "\" is missing");
  }
  TRY(ReadInput(root["input"], file, shared.list));
  for (const auto& [key, target] :
       {std::pair{"include", &shared.list.include}, std::pair{"exclude", &shared.list.exclude}}) {
    if (!root[key]) continue;
    try {
      *target = root[key].IsScalar() ? std::vector<std::string>{root[key].Scalar()}
                                     : root[key].as<std::vector<std::string>>();
    } catch (const YAML::Exception&) {
      return UsageError(AtLine(file, root[key], "\"" + std::string(key) + "\" takes patterns"));
    }
  }
  if (root["recursive"]) {
    try {
      shared.list.recursive = root["recursive"].as<bool>();
    } catch (const YAML::Exception&) {
      return UsageError(AtLine(file, root["recursive"], "\"recursive\" takes true or false"));
    }
  }
  if (!root["output"].IsScalar() || root["output"].Scalar().empty()) {
    return UsageError(AtLine(file, root["output"], "\"output\" takes a folder"));
  }
  std::string output = TRY(PathAt(root["output"], file));
  pipeline.output = std::move(output);
  TRY(ReadReports(root, file, pipeline.output, shared));
  if (!root["steps"].IsSequence() || root["steps"].size() == 0) {
    return UsageError(AtLine(file, root["steps"], "\"steps\" takes a list of commands"));
  }
  std::map<std::string, int> uses;
  for (const YAML::Node& node : root["steps"]) {
    PipelineStep step = TRY(ReadStep(node, file, pipeline.output, app, uses));
    pipeline.steps.push_back(std::move(step));
  }
  KnowStepsBefore(pipeline);
  return pipeline;
}

}  // namespace imgmill
