// One step of a pipeline at work, and those that work over the same decodes.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cli/session/session.h"
#include "pipeline.h"

namespace imgmill {

/// One run of a step, with services of its own. What it logs before its turn is kept until then.
class StepRun {
 public:
  StepRun(Session& session, PipelineStep& step);
  Status Begin(ItemSource& source);
  /// From now on what it logs is told at once.
  void TakeTurn();
  const PipelineStep& step() const { return step_; }
  CommandRun& run() { return *run_; }
  void End() { run_.reset(); }

 private:
  Session& session_;
  PipelineStep& step_;
  CommandServices services_;
  std::mutex mutex_;
  bool its_turn_ = false;
  std::vector<std::pair<LogLevel, std::string>> held_;
  std::unique_ptr<CommandRun> run_;
};

/// The step, and those right after it whose operations can run over the same decodes: see Engine::Run. Only
/// the first `given` of them are given all their images; the others may only note facts.
struct JoinedSteps {
  std::vector<std::unique_ptr<StepRun>> runs;
  size_t given = 1;
};

/// "filter+tile"
std::string NamesOf(const JoinedSteps& joined);

/// Begins the step, and those after it that can join it.
Result<JoinedSteps> BeginWithThoseThatJoin(CommandPipeline& pipeline, size_t step, ItemSource& source,
                                           Session& session);

}  // namespace imgmill
