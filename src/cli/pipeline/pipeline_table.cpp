#include "pipeline_table.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "imgmill/commands/steps_before.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

std::string Row(const std::string& step, const std::vector<std::string>& cells) {
  char name[64];
  std::snprintf(name, sizeof name, "%-10s", step.c_str());
  std::string row = name;
  for (size_t i = 0; i < cells.size(); ++i) {
    const size_t width = i < 7 ? 9 : 10;  // the last is "to remove"
    row += std::string(cells[i].size() < width ? width - cells[i].size() : 1, ' ') + cells[i];
  }
  return row + "\n";
}

std::string Cell(const Prospect& count) {
  if (!count.files) return "?";
  return (count.at_most ? "<=" : "") + std::to_string(*count.files);
}

std::string Cell(std::optional<uint64_t> count) {
  return count ? std::to_string(*count) : "?";
}

/// Files that the command's options name: those that are there are replaced only where they would differ.
Prospect NamedFilesOf(const Command& command) {
  const std::vector<std::string> files = ChecksAhead::Of(command).named_files();
  return {files.size(), std::ranges::any_of(files, &Exists)};
}

/// Of images that some are dropped of.
Prospect Some(const Prospect& of) {
  return {of.files, true};
}

}  // namespace

Prospect Sum(const Prospect& a, const Prospect& b) {
  if (!a.files || !b.files) return {std::nullopt};
  return {*a.files + *b.files, a.at_most || b.at_most};
}

Prospect MadeOf(const Prospect& ahead, const Command& command) {
  if (ahead.files == 0) return {0};
  if (!ahead.files || !command.PassesOn(*ahead.files)) return {std::nullopt};
  return {command.PassesOn(*ahead.files), ahead.at_most};
}

StepForecast StepForecast::Of(const CommandResult& result, const Prospect& ahead, const Command& command) {
  const RunCounts& counts = result.counts;
  StepForecast step;
  step.listed = Sum({counts.listed}, ahead);
  step.known = counts.recalled;
  step.to_read = Sum({counts.listed - std::min(counts.listed, counts.recalled + counts.failed)}, ahead);
  const bool keeps_all = ahead.files && command.PassesOn(*ahead.files);
  step.kept = Sum({result.kept_images}, ahead.files == 0 || keeps_all ? ahead : Some(ahead));
  step.kept.at_most = step.kept.at_most || result.ahead.at_most;  // some may give nothing
  if (!step.kept.at_most) step.dropped = result.dropped;
  step.failed = counts.failed;
  step.to_write = Sum(result.ahead, MadeOf(ahead, command));
  // What is made of many images is there if each of them is in it.
  const bool all_is_there = ahead.files == 0 && counts.recalled + counts.failed == counts.listed;
  if (!command.output_folder().empty() && !command.works_image_by_image() && !all_is_there)
    step.to_write = {std::nullopt};
  step.to_write = Sum(step.to_write, NamedFilesOf(command));
  return step;
}

StepForecast StepForecast::OfUnseen(uint64_t there, const Prospect& ahead, const Command& command) {
  StepForecast step;
  step.listed = Sum({there}, ahead);
  step.to_read = Some(step.listed);
  const bool keeps_all = step.listed.files && command.PassesOn(*step.listed.files);
  step.kept = keeps_all ? step.listed : Some(step.listed);
  step.to_write = command.output_folder().empty() ? NamedFilesOf(command) : Prospect{std::nullopt};
  return step;
}

nlohmann::ordered_json StepForecast::Json() const {
  nlohmann::ordered_json json;
  nlohmann::ordered_json at_most = nlohmann::ordered_json::array();
  const auto put = [&json](const char* name, const std::optional<uint64_t>& count) {
    json[name] = count ? nlohmann::ordered_json(*count) : nlohmann::ordered_json(nullptr);
  };
  const auto foresee = [&](const char* name, const Prospect& count) {
    put(name, count.files);
    if (count.files && count.at_most) at_most.push_back(name);
  };
  foresee("listed", listed);
  put("known", known);
  foresee("to_read", to_read);
  foresee("kept", kept);
  put("dropped", dropped);
  put("failed", failed);
  foresee("to_write", to_write);
  if (to_remove) foresee("to_remove", *to_remove);
  json["at_most"] = std::move(at_most);
  return json;
}

PipelineTable::PipelineTable(bool dry_run, bool prunes) {
  std::vector<std::string> columns = {"listed", "kept", "dropped", "failed"};
  if (dry_run) columns = {"listed", "known", "to read", "kept", "dropped", "failed", "to write"};
  if (dry_run && prunes) columns.emplace_back("to remove");
  text_ = Row("step", columns);
}

void PipelineTable::Add(const std::string& step, const CommandResult& result) {
  const auto cell = [](uint64_t count) { return std::to_string(count); };
  text_ += Row(step, {cell(result.counts.listed), cell(result.kept_images), cell(result.dropped),
                      cell(result.counts.failed)});
}

void PipelineTable::Add(const std::string& step, const StepForecast& forecast) {
  std::vector<std::string> cells = {Cell(forecast.listed),  Cell(forecast.known),   Cell(forecast.to_read),
                                    Cell(forecast.kept),    Cell(forecast.dropped), Cell(forecast.failed),
                                    Cell(forecast.to_write)};
  if (forecast.to_remove) cells.push_back(Cell(*forecast.to_remove));
  text_ += Row(step, cells);
}

}  // namespace imgmill
