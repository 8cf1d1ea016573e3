// The real engine over some files, with a manager and a private catalog of its own, for tests of operations.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "imgmill/engine/engine.h"

namespace imgmill::engine_test {

struct EngineRun {
  RunCounts counts;
  std::vector<std::string> warnings;  ///< of the MemoryManager
};

inline EngineRun RunEngine(Operation& operation, std::vector<ListedFile> files, int workers) {
  auto manager = MemoryManager::Create({});
  auto catalog = Catalog::Open("");
  REQUIRE(manager.ok());
  REQUIRE(catalog.ok());
  StopFlag stop;
  Progress progress;
  EngineOptions options;
  options.workers = workers;
  options.force = true;
  auto source = SourceFromFiles(std::move(files));
  const Result<RunCounts> counts =
      Engine(options, {manager->get(), catalog->get(), &stop, &progress}).Run(*source, operation);
  REQUIRE(counts.ok());
  return {*counts, (*manager)->Info().warnings};
}

}  // namespace imgmill::engine_test
