#include "pipeline_table.h"

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <nlohmann/json.hpp>

namespace imgmill {
namespace {

std::string Row(const std::string& step, std::initializer_list<std::string> cells) {
  char name[64];
  std::snprintf(name, sizeof name, "%-10s", step.c_str());
  std::string row = name;
  for (const std::string& cell : cells) row += std::string(cell.size() < 9 ? 9 - cell.size() : 1, ' ') + cell;
  return row + "\n";
}

std::string Cell(const Prospect& count) {
  if (!count.files) return "?";
  return (count.at_most ? "<=" : "") + std::to_string(*count.files);
}

std::string Cell(std::optional<uint64_t> count) {
  return count ? std::to_string(*count) : "?";
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
  return step;
}

StepForecast StepForecast::OfUnseen(uint64_t there, const Prospect& ahead, const Command& command) {
  StepForecast step;
  step.listed = Sum({there}, ahead);
  step.to_read = Some(step.listed);
  const bool keeps_all = step.listed.files && command.PassesOn(*step.listed.files);
  step.kept = keeps_all ? step.listed : Some(step.listed);
  step.to_write = command.output_folder().empty() ? Prospect{0} : Prospect{std::nullopt};
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
  json["at_most"] = std::move(at_most);
  return json;
}

PipelineTable::PipelineTable(bool dry_run)
    : text_(dry_run ? Row("step", {"listed", "known", "to read", "kept", "dropped", "failed", "to write"})
                    : Row("step", {"listed", "kept", "dropped", "failed"})) {}

void PipelineTable::Add(const std::string& step, const CommandResult& result) {
  const auto cell = [](uint64_t count) { return std::to_string(count); };
  text_ += Row(step, {cell(result.counts.listed), cell(result.kept_images), cell(result.dropped),
                      cell(result.counts.failed)});
}

void PipelineTable::Add(const std::string& step, const StepForecast& forecast) {
  text_ +=
      Row(step, {Cell(forecast.listed), Cell(forecast.known), Cell(forecast.to_read), Cell(forecast.kept),
                 Cell(forecast.dropped), Cell(forecast.failed), Cell(forecast.to_write)});
}

}  // namespace imgmill
