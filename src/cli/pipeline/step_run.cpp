#include "step_run.h"

#include <nlohmann/json.hpp>

#include "base/try.h"

namespace imgmill {

StepRun::StepRun(Session& session, PipelineStep& step)
    : session_(session), step_(step), services_(session.services()) {
  services_.in_pipeline = true;
  services_.step = step.title;
  services_.other_steps = step.other_titles;
  services_.log = [this](LogLevel level, const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (its_turn_ || level == LogLevel::kDebug) return session_.Log(level, text);
    held_.emplace_back(level, text);
  };
  if (services_.put_line) {
    services_.put_line = [this](JsonObject line) {
      JsonObject of_step;
      of_step["step"] = step_.name;
      of_step.Append(std::move(line));
      session_.PutLine(of_step);
    };
  }
}

Status StepRun::Begin(ItemSource& source) {
  const StepsBefore now = step_.before.OfFilesGiven();
  const ChecksAhead& checks = ChecksAhead::Of(*step_.command);
  TRY(checks.MayRead(services_, now));
  // Of a dry run nothing is there that steps before it would make, and CheckSteps has seen to the rest.
  if (services_.shared->mode == RunMode::kRun) TRY(checks.MayWrite(services_, now));
  std::unique_ptr<CommandRun> run = TRY(step_.command->Begin(source, services_));
  run_ = std::move(run);
  return {};
}

void StepRun::TakeTurn() {
  const std::lock_guard lock(mutex_);
  its_turn_ = true;
  services_.unlisted_input = session_.services().unlisted_input;
  services_.all_dropped = session_.services().all_dropped;
  for (const auto& [level, text] : held_) session_.Log(level, text);
  held_.clear();
}

std::string NamesOf(const JoinedSteps& joined) {
  std::string names;
  for (size_t i = 0; i < joined.given; ++i) names += (i > 0 ? "+" : "") + joined.runs[i]->step().name;
  return names;
}

Result<JoinedSteps> BeginWithThoseThatJoin(CommandPipeline& pipeline, size_t step, ItemSource& source,
                                           Session& session) {
  JoinedSteps joined;
  joined.runs.push_back(std::make_unique<StepRun>(session, pipeline.steps[step]));
  joined.runs.front()->TakeTurn();
  TRY(joined.runs.front()->Begin(source));
  CommandRun& first = joined.runs.front()->run();
  if (first.options.mode == RunMode::kPlan || first.alone) return joined;
  if (!pipeline.steps[step].command->weight_file().empty()) return joined;
  bool judged = !first.operation().traits().judges_after_reduce;
  for (size_t next = step + 1; next < pipeline.steps.size(); ++next) {
    const Command& command = *pipeline.steps[next].command;
    if (!pipeline.steps[next - 1].command->output_folder().empty()) break;  // it is given other files
    if (!command.weight_file().empty()) break;                              // its batches need the room
    if (!judged && !command.output_folder().empty()) break;
    auto run = std::make_unique<StepRun>(session, pipeline.steps[next]);
    if (!run->Begin(source)) break;  // told when its turn comes
    const OperationTraits& traits = run->run().operation().traits();
    if (run->run().alone || run->run().options.mode != first.options.mode) break;
    if (!judged && !traits.leaves_only_facts) break;
    joined.given += judged ? 1 : 0;
    judged = judged && !traits.judges_after_reduce;
    joined.runs.push_back(std::move(run));
  }
  return joined;
}

}  // namespace imgmill
